import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { createAuthCallout } from '../../controller/src/services/auth-callout/create-auth-callout.ts';
import { namesFromRoster } from '../../controller/src/services/auth-callout/node-names.ts';
import { ACCOUNTS_FILE } from '../../controller/src/services/keygen/nats-accounts.ts';
import { createRosterService } from '../../controller/src/services/roster/create-roster-service.ts';
import { rosterQuestions } from '../../controller/src/services/roster/questions.ts';
import type { Roster, RosterMember, RosterState } from '../../controller/src/services/roster/roster.ts';
import { ClusterKeys } from '../../packages/testing/src/fleet/cluster-keys.ts';
import { inboxPrefix, nodeInbox, type Role } from '../../protocol/inboxes.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { CONNECTION_OPTIONS } from '../../shared/nats/options.ts';
import { openConnection } from '../../shared/nats/connection.ts';
import { NatsServer } from '../support/console/nats-server.ts';
import { recordingLog } from '../unit/fixtures.ts';

const COOKIE = 'dino';
const subjects = subjectsOf(COOKIE);
const folder = mkdtempSync(join(tmpdir(), 'hotcast-names-'));
const keys = new ClusterKeys(join(folder, 'keys'));
const log = recordingLog();
const started: AsyncDisposable[] = [];

const betty: RosterMember = {
  id: '3f2a9c000000',
  name: 'hotcast_node.3.k2jqs9z8b7c6d5e4f3g2h1i0x',
  node: 'betty',
  state: 'running',
  createdAt: 0,
  addresses: ['127.0.0.1'],
  machine: 'machine-1',
};
const members = (state: Partial<Extract<RosterState, { status: 'members' }>>): RosterState => {
  return { status: 'members', members: [], duplicates: [], unreachable: [], ...state };
};

/** What the rosters say; this process is the only client, so its address is that of every node. */
let state: RosterState;
const roster: Roster = {
  members: async () => state,
  membersNow: async () => state,
  [Symbol.dispose]: () => undefined,
};
let server: NatsServer;

const options = { ignoreAuthErrorAbort: true, name: 'hotcast-node 3f2a9c000000', inboxPrefix: nodeInbox('betty') };

/** Connects as a node, once. */
async function connectNode(): Promise<NatsConnection> {
  const authenticator = keys.as('node', COOKIE);
  return connect({ ...options, servers: server.url, authenticator, reconnect: false, maxReconnectAttempts: 0 });
}

/** The lines of the auth callout about clients that it did not admit. */
const refusals = () =>
  log.logged.flatMap(({ fields, message }) =>
    message === 'a client was not admitted' && 'detail' in fields ? [fields.detail] : [],
  );

beforeAll(async () => {
  keys.make(COOKIE);
  server = await NatsServer.start(readFileSync(join(keys.folder('nats'), ACCOUNTS_FILE), 'utf8'));
  started.push(server);
  const as = (role: Role | 'auth-callout', keysDir: string): Promise<NatsConnection> =>
    openConnection({ natsUrl: server.url, keysDir }, { name: role, inboxPrefix: inboxPrefix(role) }, log);
  const rosterKeys = join(keys.folder('roster'), COOKIE);
  state = members({});
  const questions = rosterQuestions(COOKIE, roster);
  // Two of each, which answer alike.
  for (const number of [1, 2]) {
    const nats = await as('roster', rosterKeys);
    const healthFile = join(folder, `roster-${number}`);
    started.push(await createRosterService({ nats, roster, questions, healthFile, log }));
    const keysDir = keys.folder('auth-callout');
    const callout = await as('auth-callout', keysDir);
    const files = { keysDir, healthFile: join(folder, `callout-${number}`) };
    started.push(createAuthCallout({ ...files, nats: callout, nameNode: namesFromRoster(callout), log }));
  }
});
beforeEach(() => void log.logged.splice(0));
afterAll(async () => {
  for (const each of started.toReversed()) await each[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('a node whose address the roster knows', () => {
  it('speaks under the name of its place, and under no other', async () => {
    state = members({ members: [betty] });
    await using observer = await observe();
    const node = await connectNode();
    const faults: string[] = [];
    const follow = async (): Promise<void> => {
      for await (const status of node.status()) if (status.type === 'error') faults.push(status.error.message);
    };
    void follow();
    for (const name of ['fred', 'betty']) node.publish(subjects.event(name, 'heartbeat'), '');
    await observer.heard(subjects.event('betty', 'heartbeat'));
    expect(observer.subjects).toEqual([subjects.event('betty', 'heartbeat')]);
    await expect.poll(() => faults).toEqual([expect.stringContaining('fred')]);
    await node.close();
  });
});

describe('a node is not admitted', () => {
  it.each([
    ['beside another container of its name', members({ duplicates: [betty] }), 'another container is betty'],
    ['from an address that nobody has', members({}), 'the roster knows no container with its address'],
    ['while the roster can not ask', { status: 'unavailable' as const, detail: 'no leader' }, 'no leader'],
  ])('%s', async (_, now, detail) => {
    state = now;
    await expect(connectNode()).rejects.toThrow(/authorization/i);
    await expect.poll(() => refusals().includes(detail)).toBe(true);
  });

  it('until the roster knows it: then it gets in by itself', async () => {
    state = members({});
    const authenticator = keys.as('node', COOKIE);
    const connecting = connect({ ...CONNECTION_OPTIONS, ...options, servers: server.url, authenticator });
    await expect.poll(() => refusals().length).toBeGreaterThan(0);
    state = members({ members: [betty] });
    const node = await connecting;
    await node.close();
  });
});

/** Hears the events of nodes. */
async function observe() {
  const nats = await connect({ servers: server.url, authenticator: keys.tester });
  const heard: string[] = [];
  nats.subscribe(subjects.events, { callback: (_, { subject }) => void heard.push(subject) });
  await nats.flush();
  return {
    subjects: heard,
    heard: (subject: string) => expect.poll(() => heard).toContain(subject),
    [Symbol.asyncDispose]: () => nats.close(),
  };
}
