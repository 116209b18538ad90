import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Authenticator, connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';

import { createAuthCallout } from '../../../controller/src/services/auth-callout/create-auth-callout.ts';
import { namesFromRoster } from '../../../controller/src/services/auth-callout/node-names.ts';
import { ensureKeys } from '../../../controller/src/services/keygen/ensure-keys.ts';
import { keyFolders } from '../../../controller/src/services/keygen/key-folders.ts';
import { takeMachineKeys } from '../../../controller/src/services/keygen/machine-files.ts';
import { readMachineKeys, type MachineKeys } from '../../../controller/src/services/keygen/machine-keys.ts';
import { ACCOUNTS_FILE, KEYS_IN_NATS, LINK_PORT } from '../../../controller/src/services/keygen/nats-accounts.ts';
import { agentOf, agentsRoster } from '../../../controller/src/services/roster/agents.ts';
import { createRosterService } from '../../../controller/src/services/roster/create-roster-service.ts';
import { agentQuestions, rosterQuestions } from '../../../controller/src/services/roster/questions.ts';
import type { Roster, RosterMember, RosterState } from '../../../controller/src/services/roster/roster.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import { recordingLog } from '../../unit/fixtures.ts';
import { NatsServer } from '../console/nats-server.ts';
import { freePort } from '../free-port.ts';

export const COOKIE = 'dino';

/** An engine with the containers that a test says. */
export class SaidRoster implements Roster {
  state: RosterState = { status: 'members', members: [], duplicates: [], unreachable: [] };

  has(...members: RosterMember[]): void {
    this.state = { status: 'members', members, duplicates: [], unreachable: [] };
  }

  members = async (): Promise<RosterState> => this.state;
  membersNow = async (): Promise<RosterState> => this.state;
  [Symbol.dispose] = (): void => undefined;
}

/** The NATS servers of a hub and of other machines, with keys as keygen makes them, the roster, the auth callout and the agents. */
export class LinkedServers implements AsyncDisposable {
  readonly log = recordingLog();
  readonly hub = new SaidRoster();
  readonly engines: ReadonlyMap<string, SaidRoster>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hotcast-machines-'));
  readonly #started: AsyncDisposable[] = [];
  readonly #urls = new Map<string, string>();
  readonly #agents = new Map<string, AsyncDisposable>();
  #linkPort = 0;

  private constructor(machines: readonly string[]) {
    this.engines = new Map(machines.map(machine => [machine, new SaidRoster()]));
  }

  static async start(...machines: readonly string[]): Promise<LinkedServers> {
    const servers = new LinkedServers(machines);
    await servers.#start(machines);
    return servers;
  }

  /** Of a machine, or of the hub. */
  url(machine: string): string {
    return this.#urls.get(machine) ?? '';
  }

  /** The file that the hub has made for a machine. */
  keysOf(machine: string): MachineKeys {
    return readMachineKeys(readFileSync(join(this.#folder, 'hub/machines', `${machine}.json`)));
  }

  /** Connects as a process of the hub, or as an agent or a node of its machine. */
  async as(machine: string, holder: string, options: object = {}): Promise<NatsConnection> {
    const file = join(this.#folder, machine, holder, holder === 'auth-callout' ? 'nats.nk' : `${COOKIE}/nats.nk`);
    return this.connect(machine, nkeyAuthenticator(readFileSync(file)), {
      inboxPrefix: inboxPrefix(holder as 'node'),
      ...options,
    });
  }

  async connect(machine: string, authenticator: Authenticator, options: object = {}): Promise<NatsConnection> {
    return connect({
      servers: this.url(machine),
      authenticator,
      reconnect: false,
      maxReconnectAttempts: 0,
      ignoreAuthErrorAbort: true,
      ...options,
    });
  }

  /** Starts another server with the links of a machine, whose accounts a test changes: that of somebody who has the machine. */
  async startInPlaceOf(machine: string, change: (accounts: Config) => void): Promise<string> {
    const accounts = JSON.parse(this.#accounts(machine)) as Config;
    change(accounts);
    const server = await NatsServer.start(JSON.stringify(accounts), [], false);
    this.#started.push(server);
    return server.url;
  }

  /** The agent of a machine ends. */
  async endAgent(machine: string): Promise<void> {
    await this.#agents.get(machine)?.[Symbol.asyncDispose]();
    this.#agents.delete(machine);
  }

  async startAgent(machine: string): Promise<void> {
    const roster = this.engines.get(machine) ?? new SaidRoster();
    const nats = await this.as(machine, 'roster', { inboxPrefix: inboxPrefix('agent') });
    const questions = agentQuestions(COOKIE, machine, roster);
    const healthFile = join(this.#folder, `agent-${machine}`);
    this.#agents.set(machine, await createRosterService({ nats, roster, questions, healthFile, log: this.log }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.#agents.keys()) await this.endAgent(machine);
    for (const each of this.#started.toReversed()) await each[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(machines: readonly string[]): Promise<void> {
    const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const foldersOf = (machine: string) => keyFolders(join(this.#folder, machine), () => me);
    const wanted = { cookies: [COOKIE], tls: false, hosts: ['127.0.0.1'], machine: 'hub', forEarlier: false };
    await ensureKeys(foldersOf('hub'), { ...wanted, machines });
    this.#linkPort = await freePort();
    const hub = await NatsServer.start(this.#accounts('hub'));
    this.#started.push(hub);
    this.#urls.set('hub', hub.url);
    await this.#startServices(machines);
    for (const machine of machines) {
      const machineKeys = join(this.#folder, 'hub/machines', `${machine}.json`);
      takeMachineKeys(foldersOf(machine), { machineKeys, machine, hub: `tls://127.0.0.1:${this.#linkPort}` });
      const server = await NatsServer.start(this.#accounts(machine), [], false);
      this.#started.push(server);
      this.#urls.set(machine, server.url);
      await this.startAgent(machine);
    }
  }

  async #startServices(machines: readonly string[]): Promise<void> {
    const nats = await this.as('hub', 'roster');
    const others = machines.map(name => ({ name, roster: agentOf(nats, COOKIE, name) }));
    const roster = agentsRoster([{ name: 'hub', roster: this.hub }, ...others]);
    const questions = rosterQuestions(COOKIE, roster);
    const healthFile = join(this.#folder, 'roster');
    this.#started.push(await createRosterService({ nats, roster, questions, healthFile, log: this.log }));
    const callout = await this.as('hub', 'auth-callout');
    const files = { keysDir: join(this.#folder, 'hub/auth-callout'), healthFile: join(this.#folder, 'callout') };
    this.#started.push(
      createAuthCallout({ ...files, nats: callout, nameNode: namesFromRoster(callout), log: this.log }),
    );
  }

  /** The text of a machine's accounts, for a server that runs here. */
  #accounts(machine: string): string {
    const nats = join(this.#folder, machine, 'nats');
    return readFileSync(join(nats, ACCOUNTS_FILE), 'utf8')
      .replaceAll(KEYS_IN_NATS, nats)
      .replace(`"port": ${LINK_PORT}`, `"listen": "127.0.0.1:${this.#linkPort}"`);
  }
}

/** What a test changes in the accounts of a server. */
export interface Config {
  authorization?: unknown;
  server_name: string;
  accounts: Record<string, { users: object[] }>;
}
