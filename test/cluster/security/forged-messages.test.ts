import { createInbox } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { subjectsOf } from '../../../protocol/subjects.ts';
import { type ForgedMessages, forgeMessages } from '../../support/attack/forged-messages.ts';
import { Attacker } from '../../support/attack/attacker.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { captureMessages } from '../../support/attack/captured-messages.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';
import { NodeObserver } from '../../support/cluster/node-observer.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import {
  bundleCases,
  type Case,
  changedBundleCases,
  commitAfterPushCases,
  commitCases,
  loadCommandCases,
  pushCases,
  requestCases,
} from './forged-message-cases.ts';

const it = clusterTest({ nodes: 3 })
  .extend('forged', { scope: 'file' }, async ({ cluster }) => {
    return forgeMessages(
      cluster,
      await captureMessages(cluster, 'safe', [versionSource('old'), versionSource('good')]),
    );
  })
  .extend('attacker', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const attacker = await Attacker.as(cluster, 'controller');
    onCleanup(() => attacker[Symbol.asyncDispose]());
    return attacker;
  })
  .extend('nodeObserver', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const nodeObserver = await NodeObserver.connect(cluster);
    onCleanup(() => nodeObserver[Symbol.asyncDispose]());
    return nodeObserver;
  });

/** The reasons with which a node rejects an untrusted message. */
const FAULTS = /unsigned|wrong subject|unknown key|bad signature|from the future|replayed/;

/** Sends a message to these nodes. Expects that each node gives the answer, counts the rejection, and does not change. */
async function expectRejected(
  {
    forged,
    attacker,
    nodeObserver,
  }: { readonly forged: ForgedMessages; readonly attacker: Attacker; readonly nodeObserver: NodeObserver },
  subject: string,
  [, payload, answer]: Case,
  nodes: readonly string[],
  push?: string,
): Promise<void> {
  const before = await nodeObserver.nodes();
  const snapshot = await nodeObserver.snapshot();
  const answers = await attacker.request(subject, payload(forged), nodes.length, push);
  expect([...answers.keys()].toSorted()).toEqual(nodes.toSorted());
  for (const text of answers.values()) expect(text).toMatch(answer);
  expect(await nodeObserver.snapshot()).toEqual(snapshot);
  const after = await nodeObserver.nodes();
  const isCounted = [...answers.values()].every(text => FAULTS.test(text));
  for (const node of nodes) {
    expect((after.get(node)?.rejected ?? 0) - (before.get(node)?.rejected ?? 0)).toBe(isCounted ? 1 : 0);
  }
}

describe("a client with the controller's NATS credentials and without its signing key", () => {
  it.for(bundleCases)('loads nothing with a bundle %s', async (row, { cluster, forged, attacker, nodeObserver }) => {
    await expectRejected({ forged, attacker, nodeObserver }, forged.bundleSubject, row, cluster.nodeNames);
  });

  it.for(changedBundleCases)(
    'loads nothing with the running bundle %s',
    async (row, { cluster, forged, attacker, nodeObserver }) => {
      const { module, revision } = forged.captured;
      await expectRejected(
        { forged, attacker, nodeObserver },
        subjectsOf(cluster.cookie).bundle(module, revision),
        row,
        cluster.nodeNames,
      );
    },
  );

  it.for(pushCases)(
    'loads nothing with a push %s',
    async ([title, message, answer], { cluster, forged, attacker, nodeObserver }) => {
      const { module, revision } = forged.captured;
      const { subject = subjectsOf(cluster.cookie).bundle(module, revision), bundle, push } = message(forged);
      const row: Case = [title, () => bundle, answer];
      await expectRejected({ forged, attacker, nodeObserver }, subject, row, cluster.nodeNames, push);
    },
  );

  it.for(commitAfterPushCases)(
    'loads nothing when it sends a push again, and then a commit %s',
    async (row, { cluster, forged, attacker, nodeObserver }) => {
      const { captured } = forged;
      const subjects = subjectsOf(cluster.cookie);
      const bundle = subjects.bundle(captured.module, captured.revision);
      const answers = await attacker.request(bundle, captured.bundle, 3, captured.push);
      for (const text of answers.values()) expect(text).toMatch(/prepared/);
      await expectRejected({ forged, attacker, nodeObserver }, subjects.all('commit'), row, cluster.nodeNames);
    },
  );

  it.for(commitCases)('loads nothing with a commit %s', async (row, { cluster, forged, attacker, nodeObserver }) => {
    await expectRejected(
      { forged, attacker, nodeObserver },
      subjectsOf(cluster.cookie).all('commit'),
      row,
      cluster.nodeNames,
    );
  });

  it.for(loadCommandCases)(
    'loads nothing when it sends one node %s',
    async (row, { cluster, forged, attacker, nodeObserver }) => {
      await expectRejected({ forged, attacker, nodeObserver }, subjectsOf(cluster.cookie).node('fred', 'load'), row, [
        'fred',
      ]);
    },
  );

  it('cannot send the load command of one node to another node', async ({
    cluster,
    forged,
    attacker,
    nodeObserver,
  }) => {
    const row: Case = ['', ({ captured: { loadCommand } }) => loadCommand, /wrong subject/];
    await expectRejected({ forged, attacker, nodeObserver }, subjectsOf(cluster.cookie).node('bambam', 'load'), row, [
      'bambam',
    ]);
  });

  it.for(requestCases)(
    'changes nothing with a request: %s %s',
    async ([verb, ...row], { cluster, forged, attacker, nodeObserver }) => {
      await expectRejected(
        { forged, attacker, nodeObserver },
        subjectsOf(cluster.cookie).all(verb),
        row,
        cluster.nodeNames,
      );
    },
  );

  it("cannot make a node publish anywhere but in a controller's inbox", async ({ cluster, attacker, nodeObserver }) => {
    const subjects = subjectsOf(cluster.cookie);
    const snapshot = await nodeObserver.snapshot();
    const received: string[] = [];
    const inbox = createInbox(inboxPrefix('controller'));
    for (const subject of [subjects.events, inboxPrefix('controller').concat('.>')]) {
      attacker.nats.subscribe(subject, { callback: (_, message) => void received.push(message.subject) });
    }
    const otherInboxes = [
      subjects.event('fred', 'goodbye'),
      subjects.head('safe'),
      `${inbox}.betty`,
      '_INBOX.controller.*',
      '_INBOX.controller.>',
      '_INBOX.roster.x',
    ];
    for (const reply of otherInboxes) attacker.nats.publish(subjects.node('fred', 'describe'), '{}', { reply });
    attacker.nats.publish(subjects.node('fred', 'ping').replace('ping', 'eval'), 'process.exit()', { reply: inbox });
    expect([...(await attacker.request(subjects.node('fred', 'ping'), '', 1)).keys()]).toEqual(['fred']);
    const unexpected = received.filter(subject =>
      otherInboxes.some(each => subject === each || subject.startsWith(inbox)),
    );
    expect(unexpected).toEqual([]);
    expect(await nodeObserver.snapshot()).toEqual(snapshot);
    expect((await cluster.logsOf('fred')).filter(({ msg }) => msg === 'NATS reported an error')).toEqual([]);
  });

  it('cannot fill the log with a flood, and the nodes answer during it', async ({
    cluster,
    forged,
    attacker,
    nodeObserver,
  }) => {
    const snapshot = await nodeObserver.snapshot();
    const before = await nodeObserver.nodes();
    const lines = (await cluster.logsOf('fred')).length;
    const subjects = subjectsOf(cluster.cookie);
    for (let round = 0; round < 10; round += 1) {
      for (let index = 0; index < 1_000; index += 1) {
        // A node processes a bundle only when it has a reply subject.
        attacker.send(forged.bundleSubject, forged.attackBundleBytes);
        attacker.nats.publish(subjects.all('call'), 'not JSON');
      }
      expect((await attacker.request(subjects.all('ping'), '', 3)).size).toBe(3);
    }
    const after = await nodeObserver.nodes();
    for (const node of cluster.nodeNames) {
      expect((after.get(node)?.rejected ?? 0) - (before.get(node)?.rejected ?? 0)).toBe(10_000);
    }
    expect((await cluster.logsOf('fred')).length - lines).toBeLessThan(5);
    expect(await nodeObserver.snapshot()).toEqual(snapshot);
  });

  it('leaves a healthy cluster that has logged the attacks', async ({ cluster, forged, nodeObserver }) => {
    expect((await cluster.status()).exitCode).toBe(0);
    const { result } = await cluster.call('safe.version()');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"good"' })));
    for (const { memoryBytes } of (await nodeObserver.nodes()).values())
      expect(memoryBytes).toBeLessThan(400 * 1024 * 1024);
    await cluster.waitForLog('controller', ({ msg, node }) => node !== undefined && /trust|reject/.test(msg));
    for (const node of cluster.nodeNames) {
      const { RestartCount } = await (await cluster.container(node)).inspect();
      expect(RestartCount).toBe(0);
      const warnings = (await cluster.logsOf(node)).filter(({ fault }) => fault !== undefined);
      // One for each kind of fault.
      expect(warnings).not.toEqual([]);
      expect(warnings.length).toBeLessThanOrEqual(12);
    }
    cluster.writeModule('safe', versionSource('next'));
    expect((await cluster.push('safe')).exitCode).toBe(0);
    expect(forged.captured.module).toBe('safe');
  });
});
