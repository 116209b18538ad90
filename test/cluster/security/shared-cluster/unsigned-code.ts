import { headers } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { encodeBundle } from '../../../../protocol/bundle.ts';
import { encode } from '../../../../protocol/codec.ts';
import { joinFrames } from '../../../../protocol/bytes/framing.ts';
import { inboxPrefix, ROLES } from '../../../../protocol/inboxes.ts';
import { signEnvelope } from '../../../../protocol/signing/envelope.ts';
import { makeSigningKey, readSigningKey } from '../../../../protocol/signing/keys.ts';
import { ANSWER_TO, subjectsOf } from '../../../../protocol/subjects.ts';
import { Attacker } from '../../../support/attack/attacker.ts';
import { runningRevisions } from '../../../support/cluster/convergence.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { bundleOf, headOf } from '../../../unit/fixtures.ts';
import { it } from './cluster.ts';

describe('a client with the credentials of a', () => {
  it.for(ROLES.filter(role => role !== 'controller'))(
    '%s loads nothing with a well-formed bundle and head',
    async (role, { cluster }) => {
      cluster.writeModule('safe', versionSource('good'));
      const { revision } = await cluster.push('safe');
      const subjects = subjectsOf(cluster.cookie);
      const bundle = bundleOf('safe', "exports.version = () => 'bad';");
      const key = readSigningKey(makeSigningKey());
      const address = subjects.bundle('safe', bundle.revision);
      const head = { ...headOf('safe', bundle.revision, Date.now()), at: Date.now() };
      const signedHead = signEnvelope(key, subjects.head('safe'), encode(head));
      const forbidden: string[] = [];
      await using attacker = await Attacker.as(cluster, role);
      const { nats } = attacker;
      void (async () => {
        for await (const status of nats.status()) if (status.type === 'error') forbidden.push(String(status.error));
      })();
      const header = headers();
      header.set(ANSWER_TO, `${inboxPrefix(role)}.me`);
      for (const payload of [encodeBundle(bundle), signEnvelope(key, address, encodeBundle(bundle))]) {
        nats.publish(address, payload, { headers: header });
      }
      for (const payload of [encode(head), signedHead]) nats.publish(subjects.head('safe'), payload);
      nats.publish(subjects.all('commit'), joinFrames([signedHead]));
      nats.publish(subjects.node('fred', 'load'), signEnvelope(key, address, encodeBundle(bundle)));
      await nats.flush();
      await expect.poll(() => forbidden).toHaveLength(6);
      expect(await runningRevisions(cluster, 'safe')).toEqual([revision]);
      expect((await cluster.status()).exitCode).toBe(0);
      const { result } = await cluster.call('safe.version()');
      expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"good"', revision })));
    },
  );
});
