import { HotcastError } from '../../../protocol/errors.ts';
import type { Head } from '../../../protocol/head.ts';
import { isBan } from '../../../protocol/kept-off.ts';
import { type NodeDescription, nodeDescription } from '../../../protocol/messages.ts';
import { ageText } from '../../../shared/age.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import type { Checked } from '../api/checked.ts';
import type { StatusRow } from '../api/results.ts';
import { askNodes, inOrder, silentAmong } from '../fleet/ask-nodes.ts';
import { type ClockOffsets, clockOffsets, clockWarnings } from '../fleet/clocks.ts';
import type { Expected } from '../fleet/membership.ts';
import type { PortState } from '../fleet/open-ports.ts';
import { packageVersionWarnings } from '../fleet/package-versions.ts';
import { headsBehindNodes, lostHeadsText } from '../rollout/lost-heads.ts';
import { versionWarnings } from '../rollout/versions.ts';
import { type Storage, storageProblem, storageWarning } from '../store/storage.ts';
import type { CommandContext, Handler } from './context.ts';
import { operatorsCheck } from './operators/operators-check.ts';
import { statusRows } from './status-rows.ts';

/** After so long without a backup there is a warning (milliseconds). */
const BACKUP_AGE_MS = 30 * 24 * 3_600_000;

/** What a node can be without anything being wrong that is not told elsewhere. */
const FINE: ReadonlySet<string> = new Set(['ok', 'left out', 'quarantined']);

/** Looks at what an operator looks at first, and says of each what helps. It changes nothing. */
export const doctor: Handler<'doctor'> = async (context, { timeoutMs }, _report, signal) => {
  const { store, membership } = context;
  const [heads, members, storage] = await Promise.all([store.heads(), membership.expected(), store.storage()]);
  const asked = { expected: new Set(members.members.map(({ node }) => node)), departed: members.departed };
  const natsOffset = await store.natsClockOffset();
  const askedAt = Date.now();
  const answers = await askNodes(context, { verb: 'describe', ...asked, timeoutMs, signal, schema: nodeDescription });
  const described = [...answers.values()].map(({ answer }) => answer);
  const silent = inOrder(silentAmong(asked, answers)).map(({ node }) => node);
  const rows = statusRows(heads, new Map(described.map(each => [each.node, each])));
  const older = store.newerText() ?? lostHeadsText(store.lostHeads()) ?? headsBehindNodes(heads, described);
  const checks = [
    nodesCheck(described.length, silent, members),
    versionsCheck(described, members),
    clocksCheck(clockOffsets(answers, askedAt, natsOffset)),
    modulesCheck(rows),
    keptOffCheck(heads),
    streamCheck(storage, older),
    keyCheck(context),
    portsCheck(await context.openPorts()),
    await backupCheck(context),
    ...operatorsCheck(await store.operators(), Date.now()),
    ...(await webhookChecks(context)),
  ];
  return { command: 'doctor', checks };
};

const ok = (check: string, detail: string): Checked => ({ check, state: 'ok', detail });

function nodesCheck(present: number, silent: readonly string[], { members, warning, flood }: Expected): Checked {
  const check = 'nodes';
  const help = 'docker compose logs node';
  if (members.length === 0) {
    return { check, state: 'wrong', detail: 'none runs', help: 'docker compose up --detach --scale node=3' };
  }
  if (silent.length > 0) return { check, state: 'wrong', detail: `no answer of ${silent.join(', ')}`, help };
  if (warning !== null) return { check, state: 'warning', detail: warning, help: 'docker compose logs roster' };
  if (flood !== undefined) return { check, state: 'warning', detail: flood, help };
  return ok(check, `${present} answer, as many as there are containers`);
}

function versionsCheck(nodes: readonly NodeDescription[], { foreign }: Expected): Checked {
  const check = 'versions';
  const help = 'hotcast version';
  if (foreign !== undefined) return { check, state: 'wrong', detail: foreign, help };
  const [first] = [...versionWarnings(nodes), ...packageVersionWarnings(nodes)];
  if (first !== undefined) return { check, state: 'warning', detail: first, help };
  return ok(check, `controller and nodes have ${PACKAGE_VERSION}`);
}

function clocksCheck(clocks: ClockOffsets): Checked {
  const check = 'clocks';
  const [first] = clockWarnings(clocks);
  if (first !== undefined) return { check, state: 'warning', detail: first, help: 'hotcast nodes' };
  const most = Math.max(...[clocks.controller, ...clocks.nodes.values()].map(Math.abs));
  return ok(check, `at most ${most} ms off that of NATS`);
}

function modulesCheck(rows: readonly StatusRow[]): Checked {
  const check = 'modules';
  const differing = rows.filter(({ state }) => !FINE.has(state));
  const [first] = differing;
  if (first === undefined) return ok(check, 'every node runs what the heads say');
  const { module, node, state } = first;
  const more = differing.length > 1 ? `, and ${differing.length - 1} more` : '';
  return { check, state: 'wrong', detail: `${module} is ${state} on ${node}${more}`, help: 'hotcast status' };
}

function keptOffCheck(heads: readonly Head[]): Checked {
  const check = 'bans';
  const entries = heads.flatMap(({ module, keptOff }) => keptOff.map(entry => ({ ...entry, module })));
  const [first] = entries;
  if (first === undefined) return ok(check, 'no node is kept off a revision');
  const why = isBan(first) ? 'which brought it down' : 'by a push without it';
  const more = entries.length > 1 ? `, and ${entries.length - 1} more` : '';
  return {
    check,
    state: 'warning',
    detail: `${first.node} is kept off a revision of ${first.module}, ${why}${more}`,
    help: 'hotcast bans',
  };
}

function streamCheck(storage: Storage, older: string | null): Checked {
  const check = 'stream';
  const problem = storageProblem(storage) ?? older;
  if (problem !== null) return { check, state: 'wrong', detail: problem };
  const warning = storageWarning(storage);
  if (warning !== null) return { check, state: 'warning', detail: warning };
  return ok(check, `${mebibytes(storage.usedBytes)} of ${mebibytes(storage.maxBytes)} MB`);
}

function keyCheck({ signingKey }: Pick<CommandContext, 'signingKey'>): Checked {
  const check = 'signing key';
  try {
    return ok(check, `made ${ageText(Math.max(0, Date.now() - signingKey.madeAt()))} ago`);
  } catch (error) {
    if (!(error instanceof HotcastError)) throw error;
    return { check, state: 'wrong', detail: error.message, help: 'hotcast keys rotate' };
  }
}

function portsCheck(ports: readonly PortState[]): Checked {
  const check = 'ports';
  const name = ({ service, port }: PortState): string => `${service}:${port}`;
  const closed = ports.filter(({ state }) => state !== 'open' && state !== 'unknown');
  const [first] = closed;
  if (first !== undefined) {
    const detail = closed.map(each => `${name(each)} takes no connection (${each.state})`).join(', ');
    return { check, state: 'warning', detail, help: `docker compose logs ${first.service}` };
  }
  const open = ports.filter(({ state }) => state === 'open').map(each => `${name(each)} takes connections`);
  const unknown = ports.filter(({ state }) => state === 'unknown').map(({ service }) => `no ${service} runs`);
  return ok(check, [...open, ...unknown].join(', '));
}

async function backupCheck({ audit }: Pick<CommandContext, 'audit'>): Promise<Checked> {
  const check = 'backup';
  const now = Date.now();
  const entries = await audit.read(now - BACKUP_AGE_MS);
  const last = entries.findLast(({ command, outcome }) => command === 'backup' && outcome === 'done');
  if (last !== undefined) return ok(check, `the last one was made ${ageText(Math.max(0, now - last.at))} ago`);
  return { check, state: 'warning', detail: 'none in the last 30 days', help: 'hotcast backup hotcast.backup' };
}

/** Nothing is said of a webhook that is not set. */
async function webhookChecks({ webhook, audit }: Pick<CommandContext, 'webhook' | 'audit'>): Promise<Checked[]> {
  if (webhook === null) return [];
  const check = 'webhook';
  const help = 'docker compose logs controller';
  const { where, position, failure, leftOut } = webhook();
  if (failure !== null) {
    const waiting = position === null ? 0 : Math.max(0, (await audit.bounds()).last - position);
    const since = ageText(Math.max(0, Date.now() - failure.since));
    const detail = `${where} has taken nothing for ${since} (${failure.why}); ${countText(waiting)} for it`;
    return [{ check, state: 'warning', detail, help }];
  }
  if (leftOut === 0) return [ok(check, `${where} takes the events`)];
  const many = `${leftOut} ${leftOut === 1 ? 'event' : 'events'}`;
  return [{ check, state: 'warning', detail: `${where} takes the events, but ${many} did not reach it`, help }];
}

function countText(waiting: number): string {
  return waiting === 1 ? '1 event waits' : `${waiting} events wait`;
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0);
