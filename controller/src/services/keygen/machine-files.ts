import { readFileSync } from 'node:fs';

import { UsageError } from '../../../../protocol/errors.ts';
import { streamOf, subjectsOf } from '../../../../protocol/subjects.ts';
import { NATS_CA_FILE, NATS_SEED_FILE } from '../../../../shared/nats/options.ts';
import { ROOT_KEY_SUFFIX } from '../../../../shared/signing/trust.ts';
import { agentPermissions } from '../../nats-auth/permissions.ts';
import type { KeygenConfig } from './config.ts';
import type { KeyFolders } from './key-folders.ts';
import { type MachineKeys, publicKeyOf, readMachineKeys } from './machine-keys.ts';
import type { KeyFile } from './make-keys.ts';
import { ACCOUNTS_FILE, AUTH_CALLOUT_ACCOUNT, KEYS_IN_NATS, LIMITS } from './nats-accounts.ts';

/**
 * Puts the keys that the hub has made for this machine into the folders of its processes.
 *
 * @returns the name of the machine.
 * @throws UsageError when the file can't be read, or is for another machine
 */
export function takeMachineKeys(
  folders: KeyFolders,
  { machineKeys, machine, hub }: Pick<KeygenConfig, 'machineKeys' | 'machine' | 'hub'>,
): string {
  const keys = readKeys(machineKeys);
  if (keys.machine !== machine)
    throw new UsageError(`the keys are those of the machine ${keys.machine}, and MACHINE is ${machine}`);
  for (const file of machineFiles(keys, hub)) folders.write(file);
  return machine;
}

function readKeys(file: string): MachineKeys {
  try {
    return readMachineKeys(readFileSync(file));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the keys of this machine can't be read: ${why}. The hub makes the file`, { cause });
  }
}

/**
 * The files of a machine that is not the hub: of its NATS server, its nodes and its agent, which is in the place of the roster.
 *
 * @param hub where the NATS server of the hub takes other servers: `tls://10.0.0.1:7422`.
 */
function machineFiles(keys: MachineKeys, hub: string): KeyFile[] {
  return [
    { holder: 'nats', path: NATS_CA_FILE, text: keys.authority },
    { holder: 'nats', path: ACCOUNTS_FILE, text: machineAccounts(keys, hub) },
    ...keys.cookies.flatMap(({ cookie, agent, node, root }): KeyFile[] => [
      { holder: 'roster', path: `${cookie}/${NATS_SEED_FILE}`, text: agent },
      { holder: 'node', path: `${cookie}/${NATS_SEED_FILE}`, text: node },
      { holder: 'trust', path: `${cookie}/root${ROOT_KEY_SUFFIX}`, text: root },
    ]),
  ];
}

/**
 * The accounts of such a server. It has no stream: it passes on what its nodes and the hub say, a link for each account, and asks the
 * auth callout of the hub whom to admit. NATS refuses the subjects of JetStream on a link, so reads of the stream have others on it.
 */
function machineAccounts({ machine, issuer, link, cookies }: MachineKeys, hub: string): string {
  const remoteOf = (account: string, nkey: string) => {
    return { urls: [hub], account, nkey, tls: { ca_file: `${KEYS_IN_NATS}/${NATS_CA_FILE}` } };
  };
  const agents = cookies.map(({ cookie, agent }) => ({ cookie, nkey: publicKeyOf(agent) }));
  const accounts = agents.map(({ cookie, nkey }) => {
    const { streamRead, streamReads } = subjectsOf(cookie);
    const read = `$JS.API.DIRECT.GET.${streamOf(cookie)}`;
    const users = [{ nkey, permissions: agentPermissions(cookie, machine) }];
    return [cookie, { limits: LIMITS, mappings: { [read]: streamRead, [`${read}.>`]: streamReads }, users }] as const;
  });
  const config = {
    // The roster of the hub knows by it which machine a node is on.
    server_name: machine,
    authorization: {
      timeout: 10,
      auth_callout: { issuer, account: AUTH_CALLOUT_ACCOUNT, auth_users: agents.map(({ nkey }) => nkey) },
    },
    accounts: { [AUTH_CALLOUT_ACCOUNT]: { users: [] }, ...Object.fromEntries<object>(accounts) },
    leafnodes: {
      reconnect: '1s',
      remotes: [remoteOf(AUTH_CALLOUT_ACCOUNT, link), ...cookies.map(each => remoteOf(each.cookie, each.link))],
    },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
