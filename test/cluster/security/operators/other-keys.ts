import { nkeys } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { connectOperator } from '../../../../packages/hotcast/src/remote/connect-operator.ts';
import { encode } from '../../../../protocol/codec.ts';
import { operatorInbox } from '../../../../protocol/inboxes.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { signerOf } from '../../../../shared/nats/nkey.ts';
import { COOKIE } from '../../../support/operators/operator-stand.ts';
import { RawOperator } from '../../../support/operators/raw-operator.ts';
import { ci, line, stand, TIMEOUT_MS } from './stand.ts';

const subjects = subjectsOf(COOKIE);

describe('an operator', () => {
  it('is nobody whom the key of the controller at NATS has made one', async () => {
    const stranger = nkeys.createUser();
    const seed = Buffer.from(stranger.getSeed()).toString();
    await stand.stopController();
    const forger = await stand.connectAs('controller');
    forger.subscribe(subjects.operatorKey, {
      callback: (_, message) =>
        void message.respond(encode({ status: 'operator', name: 'ci', may: ['push'], expiresAt: null })),
    });
    await forger.flush();
    await using nats = await connectOperator({ ...ci, seed });
    await forger.close();
    await stand.startController();
    const raw = new RawOperator(nats, 'ci');
    expect(await raw.open('push')).toMatchObject({ status: 'open' });
    raw.say(signerOf(seed), line('ping'));
    expect(await raw.end()).toBeNull();
  });

  it('is not admitted with the key of another role, nor is another role with its key', async () => {
    const others = [stand.keys.as('node', COOKIE), stand.keys.as('observer', COOKIE)];
    for (const authenticator of others) {
      const asOperator = await stand.tryToConnect(`hotcast-operator ${COOKIE}`, authenticator, operatorInbox('ci'));
      if (asOperator === null) continue;
      // NATS's own configuration knows this key: its permissions are those of its role.
      await expect(asOperator.request(subjects.operator('ci', 'push'), '', { timeout: TIMEOUT_MS })).rejects.toThrow(
        /permission/i,
      );
      await asOperator.close();
    }
    expect(await stand.tryToConnect('hotcast-node 0123ab', stand.authenticatorOf(ci))).toBeNull();
    expect(await stand.tryToConnect('hotcast-operator quarry', stand.authenticatorOf(ci))).toBeNull();
    await using controller = await stand.connectAs('controller');
    const opened = controller.request(subjects.operator('ci', 'push'), '', { timeout: TIMEOUT_MS });
    await expect(opened).rejects.toThrow(/permission/i);
  });
});
