import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type Keyring, openKeyring } from '../../../../controller/src/store/keyring.ts';
import { createOperators } from '../../../../controller/src/store/operators.ts';
import type { Stream } from '../../../../controller/src/store/stream.ts';
import type { Operator } from '../../../../protocol/operators/operator.ts';
import { encodeRecord } from '../../../../protocol/codec.ts';
import { publicKeyIn } from '../../../../protocol/signing/keys.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { writeControllerKeys } from '../../../support/controller-keys.ts';

const subjects = subjectsOf('dino');
const OVERLAP_MS = 60_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-operators-'));
  writeControllerKeys(join(folder, 'keys'), join(folder, 'trust'), 'dino');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (): Keyring => openKeyring(join(folder, 'keys'), join(folder, 'trust'), subjects.keys);

function operator(name: string): Operator {
  return {
    name,
    key: `U${'A'.repeat(55)}`,
    may: ['push'],
    addedBy: 'wilma',
    addedAt: 0,
    expiresAt: null,
    revokedAt: null,
  };
}

/** The last record of each subject. */
class Records {
  readonly all = new Map<string, { readonly data: Uint8Array; readonly seq: number }>();
  #seq = 0;

  put(subject: string, data: Uint8Array): void {
    this.all.set(subject, { data, seq: (this.#seq += 1) });
  }

  get stream(): Stream {
    const last = (subject: string): StoredMsg | null => {
      const record = this.all.get(subject);
      return record === undefined ? null : ({ subject, ...record } as unknown as StoredMsg);
    };
    return {
      client: {
        publish: async (subject: string, data: Uint8Array, options?: { expect?: { lastSubjectSequence?: number } }) => {
          if ((options?.expect?.lastSubjectSequence ?? 0) !== (this.all.get(subject)?.seq ?? 0)) {
            throw new JetStreamApiError({ code: 400, err_code: 10071, description: 'wrong last sequence' });
          }
          this.put(subject, data);
        },
      },
      last: async (subject: string) => last(subject),
      lastOfEach: async () => [...this.all.keys()].flatMap(subject => last(subject) ?? []),
      purge: async () => undefined,
    } as unknown as Stream;
  }
}

/** Has the lists that are due be in the stream. Those that wait for the end of an overlap are due with `all`. */
function publish(keyring: Keyring, all = false): void {
  for (let next = keyring.nextKeyList(); next !== null; next = keyring.nextKeyList()) {
    if (next.afterMs > 0 && !all) return;
    keyring.takeKeyList(next.envelope);
  }
}

/** A controller that has its first list in force. */
function controllerOn(records: Records, keyring = open()) {
  publish(keyring);
  const store = createOperators(records.stream, subjects, keyring);
  return { keyring, store, names: async () => (await store.operators()).map(({ name }) => name) };
}

function rotate(keyring: Keyring): string {
  const { key, install } = keyring.rotate(OVERLAP_MS);
  publish(keyring);
  install();
  return key;
}

const ids = (keys: readonly string[] = []) => keys.map(key => publicKeyIn(key).id);

describe('a record of an operator', () => {
  it('counts as long as nodes trust the key that has signed it, and not when that has ended', async () => {
    const records = new Records();
    const { keyring, store, names } = controllerOn(records);
    await store.addOperator(operator('ci'));
    rotate(keyring);
    expect(await names()).toEqual(['ci']);
    publish(keyring, true);
    expect(await names()).toEqual([]);
  });

  it('is signed again with a new key, once: not what somebody writes later with the key before', async () => {
    const records = new Records();
    const { keyring, store, names } = controllerOn(records);
    await store.addOperator(operator('ci'));
    await store.addOperator(operator('betty'));
    await store.revokeOperator('betty', 1);
    expect(await store.signOperatorsAgain()).toBe(0);
    const forged = keyring.sign(subjects.operatorRecord('eve'), encodeRecord(operator('eve')));
    rotate(keyring);
    expect(await store.signOperatorsAgain()).toBe(2);
    records.put(subjects.operatorRecord('eve'), forged);
    expect(await store.signOperatorsAgain()).toBe(0);
    publish(keyring, true);
    expect(await names()).toEqual(['betty', 'ci']);
    // Nor does the next key give new life to it.
    rotate(keyring);
    expect(await store.signOperatorsAgain()).toBe(2);
    expect(await names()).toEqual(['betty', 'ci']);
  });

  it('does not count, and is not signed again, when a list revokes its key, also before that is in force', async () => {
    const records = new Records();
    const { keyring, store, names } = controllerOn(records);
    const [stolen = ''] = ids(keyring.inForce()?.list.trusted);
    await store.addOperator(operator('ci'));
    rotate(keyring);
    keyring.revoke(stolen);
    expect([ids(keyring.inForce()?.list.trusted).includes(stolen), await names()]).toEqual([true, []]);
    // A controller that starts now has signed none of them again.
    const next = createOperators(records.stream, subjects, keyring);
    expect(await next.signOperatorsAgain()).toBe(0);
    publish(keyring);
    expect(await names()).toEqual([]);
  });

  it('outlives two rotations during which the controller was away', async () => {
    const records = new Records();
    const before = controllerOn(records);
    await before.store.addOperator(operator('ci'));
    const list = before.keyring.inForce()?.envelope ?? new Uint8Array();
    // Whoever has the root key makes keys, and takes the lists before to be in force.
    const elsewhere = open();
    publish(elsewhere, true);
    rotate(elsewhere);
    publish(elsewhere, true);
    const key = rotate(elsewhere);

    const keyring = open();
    keyring.takeKeyList(list);
    const store = createOperators(records.stream, subjects, keyring);
    expect([keyring.signer(), keyring.nextKeyList()?.list.number]).toEqual([key, 4]);
    expect(await store.operators()).toHaveLength(1);
    expect(await store.signOperatorsAgain()).toBe(1);
    publish(keyring, true);
    expect(await store.operators()).toEqual([operator('ci')]);
  });

  it('can be read without a key that signs', async () => {
    const records = new Records();
    const { keyring, store, names } = controllerOn(records);
    await store.addOperator(operator('ci'));
    rmSync(join(folder, 'keys/signing.pem'));
    expect([keyring.signer(), await names(), await store.signOperatorsAgain()]).toEqual([null, ['ci'], 0]);
  });
});
