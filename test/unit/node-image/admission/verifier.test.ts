import { randomUUID } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { RejectedError, Verifier } from '../../../../node-image/src/admission/verifier.ts';
import { encodeBundle } from '../../../../protocol/bundle.ts';
import { encode } from '../../../../protocol/codec.ts';
import { encodeLoadCommand } from '../../../../protocol/load-command.ts';
import { signEnvelope } from '../../../../protocol/signing/envelope.ts';
import { signKeyList } from '../../../../protocol/signing/key-list.ts';
import { KeyTrust } from '../../../../protocol/signing/key-trust.ts';
import { makeSigningKey, readSigningKey, rootKeyFile, type SigningKey } from '../../../../protocol/signing/keys.ts';
import { signPush } from '../../../../protocol/signing/push-signature.ts';
import { rootKeyFiles } from '../../../../protocol/signing/trusted-keys.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { bundleOf, verifierOf, headOf, signed, signedPush } from '../../fixtures.ts';

const subjects = subjectsOf('dino');
const bundle = bundleOf('demo', 'exports.one = () => 1;');
const packed = encodeBundle(bundle);
const bundleSubject = subjects.bundle('demo', bundle.revision);
const head = headOf('demo', bundle.revision, 1);
const headSubject = subjects.head('demo');

function faultOf(body: (verifier: Verifier) => unknown): string {
  const verifier = verifierOf(subjects);
  try {
    body(verifier);
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    expect(verifier.rejected).toBe(1);
    return error.fault;
  }
  return 'none';
}

describe('the verifier', () => {
  it('accepts a record that is signed for its subject', () => {
    const verifier = verifierOf(subjects);
    expect(verifier.bundle(bundleSubject, signed(bundleSubject, packed))).toEqual(bundle);
    expect(verifier.head(headSubject, signed(headSubject, encode(head)))).toEqual(head);
    expect(verifier.rejected).toBe(0);
  });

  it('rejects a well-formed record that is not signed', () => {
    expect(faultOf(verifier => verifier.bundle(bundleSubject, packed))).toBe('unsigned');
    expect(faultOf(verifier => verifier.head(headSubject, encode(head)))).toBe('unsigned');
  });

  it('rejects a record that is signed for another cookie, module or revision', () => {
    const strange = subjectsOf('rubble');
    const elsewhere = [
      strange.bundle('demo', bundle.revision),
      subjects.bundle('other', bundle.revision),
      subjects.bundle('demo', 'f'.repeat(64)),
      headSubject,
    ];
    for (const subject of elsewhere) {
      expect(faultOf(verifier => verifier.bundle(bundleSubject, signed(subject, packed)))).toBe('wrong subject');
      expect(faultOf(verifier => verifier.head(null, signed(strange.head('demo'), encode(head))))).toBe(
        'wrong subject',
      );
    }
  });

  it('rejects a record under a wrong name, even if it is signed for that name', () => {
    const subject = subjects.bundle('other', bundle.revision);
    expect(faultOf(verifier => verifier.bundle(subject, signed(subject, packed)))).toBe('wrong subject');
    expect(faultOf(verifier => verifier.head(null, signed(subjects.head('other'), encode(head))))).toBe(
      'wrong subject',
    );
  });

  it.each([3_600_000, -3_600_000])('accepts a head of a controller whose clock is %d ms off', offset => {
    for (const fields of [{ at: Date.now() + offset }, { sequence: Date.now() + offset }]) {
      const theirs = signed(headSubject, encode({ ...head, ...fields }));
      expect(faultOf(verifier => verifier.head(headSubject, theirs))).toBe('none');
    }
  });

  it('shows the newest head that it has verified, as it was signed', () => {
    const verifier = verifierOf(subjects);
    const envelopeOf = (sequence: number) => signed(headSubject, encode({ ...head, sequence }));
    expect(verifier.newerHeads({ demo: 0 })).toEqual({});
    for (const sequence of [7, 8, 3]) verifier.head(headSubject, envelopeOf(sequence));
    const { demo = '' } = verifier.newerHeads({ demo: 7, other: 0 });
    expect(verifierOf(subjects).head(headSubject, Buffer.from(demo, 'base64')).sequence).toBe(8);
    expect(verifier.newerHeads({ demo: 8 })).toEqual({});
  });

  it('accepts an expression of a shell once, on the node and in the process that it is for', () => {
    const toFred = subjects.node('fred', 'evaluate');
    const verifier = verifierOf(subjects);
    const expression = { session: randomUUID(), code: 'exports.run = async () => 1;', timeoutMs: 1_000 };
    const command = (id: string, processId: string = verifier.processId): Uint8Array =>
      encodeLoadCommand({ processId, id, packed: encode(expression) });
    expect(verifier.evaluation(toFred, signed(toFred, command('one')))).toEqual(expression);
    expect(() => verifier.evaluation(toFred, signed(toFred, command('one')))).toThrow('replayed');
    expect(() => verifier.evaluation(toFred, signed(toFred, command('two', 'another')))).toThrow('replayed');
    expect(faultOf(fresh => fresh.evaluation(toFred, encode(expression)))).not.toBe(null);
    expect(faultOf(fresh => fresh.evaluation(toFred, signed(subjects.node('betty', 'evaluate'), command('x'))))).toBe(
      'wrong subject',
    );
    expect(faultOf(fresh => fresh.evaluation(toFred, signed(subjects.node('fred', 'load'), command('x'))))).toBe(
      'wrong subject',
    );
  });

  it('accepts a load command once, and none for an earlier process of the node', () => {
    const toFred = subjects.node('fred', 'load');
    const verifier = verifierOf(subjects);
    const command = (id: string, processId: string = verifier.processId): Uint8Array =>
      signed(toFred, encodeLoadCommand({ processId, id, packed }));
    expect(verifier.loadCommand(toFred, command('one'))).toEqual(bundle);
    expect(verifier.loadCommand(toFred, command('two'))).toEqual(bundle);
    for (const id of ['one', 'two']) expect(() => verifier.loadCommand(toFred, command(id))).toThrow('replayed');
    expect(faultOf(fresh => fresh.loadCommand(toFred, command('three')))).toBe('replayed');
    expect(faultOf(fresh => fresh.loadCommand(subjects.node('betty', 'load'), command('three')))).toBe('wrong subject');
    expect(faultOf(fresh => fresh.loadCommand(toFred, signed(bundleSubject, packed)))).toBe('wrong subject');
  });
});

/** An envelope whose own signature is wrong. Only the signature of a push can still vouch for it. */
function withBadSignature(envelope: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(envelope);
  copy[20] = (copy[20] ?? 0) ^ 1;
  return copy;
}

describe('a push, for which a node verifies one signature', () => {
  const bundleEnvelope = withBadSignature(signed(bundleSubject, packed));
  const headEnvelope = withBadSignature(signed(headSubject, encode(head)));
  const push = signedPush(bundleSubject, bundleEnvelope, headEnvelope);
  /** A verifier that knows the push. */
  const prepared = (): Verifier => {
    const verifier = verifierOf(subjects);
    expect(verifier.bundle(bundleSubject, bundleEnvelope, push)).toEqual(bundle);
    return verifier;
  };

  it('has no other signature verified, of its bundle or of its head', () => {
    const verifier = prepared();
    expect(verifier.head(null, headEnvelope)).toEqual(head);
    expect(verifier.rejected).toBe(0);
    expect(verifierOf(subjects).head(null, signed(headSubject, encode(head)))).toEqual(head);
  });

  it('commits nothing to a node that has not prepared it', () => {
    expect(faultOf(verifier => verifier.head(null, headEnvelope))).toBe('bad signature');
  });

  it('commits its own head only, and once', () => {
    const verifier = prepared();
    const faultsOf = (envelope: Uint8Array): string => {
      try {
        verifier.head(null, envelope);
        return 'none';
      } catch (error) {
        return error instanceof RejectedError ? error.fault : String(error);
      }
    };
    const forged = Uint8Array.from(headEnvelope);
    forged[forged.length - 3] = (forged[forged.length - 3] ?? 0) ^ 1;
    expect(faultsOf(forged)).toBe('bad signature');
    expect(faultsOf(encode(head))).toBe('unsigned');
    expect(faultsOf(withBadSignature(signed(subjects.head('other'), encode({ ...head, module: 'other' }))))).toBe(
      'bad signature',
    );
    expect(faultsOf(headEnvelope)).toBe('none');
    expect(faultsOf(headEnvelope)).toBe('bad signature');
  });

  it('says nothing of the head of another module, or of another push', () => {
    const other = withBadSignature(signed(subjects.head('other'), encode({ ...head, module: 'other' })));
    const verifier = verifierOf(subjects);
    verifier.bundle(bundleSubject, bundleEnvelope, signedPush(bundleSubject, bundleEnvelope, other));
    expect(() => verifier.head(null, other)).toThrow('bad signature');
    // The next push of the module takes the place of this one.
    const next = withBadSignature(signed(headSubject, encode({ ...head, sequence: 2 })));
    verifier.bundle(bundleSubject, bundleEnvelope, push);
    verifier.bundle(bundleSubject, bundleEnvelope, signedPush(bundleSubject, bundleEnvelope, next));
    expect(() => verifier.head(null, headEnvelope)).toThrow('bad signature');
    expect(verifier.head(null, next).sequence).toBe(2);
  });

  it('is rejected when its signature is not that of the bundle, and nothing falls back', () => {
    const whole = signed(bundleSubject, packed);
    const elsewhere = subjects.bundle('demo', 'f'.repeat(64));
    expect(faultOf(verifier => verifier.bundle(bundleSubject, whole, push))).toBe('bad signature');
    expect(faultOf(verifier => verifier.bundle(bundleSubject, whole, ''))).toBe('unsigned');
    expect(faultOf(verifier => verifier.bundle(elsewhere, bundleEnvelope, push))).toBe('wrong subject');
    const forElsewhere = signedPush(elsewhere, bundleEnvelope, headEnvelope);
    expect(faultOf(verifier => verifier.bundle(elsewhere, bundleEnvelope, forElsewhere))).toBe('wrong subject');
    const noEnvelope = signedPush(bundleSubject, packed, headEnvelope);
    expect(faultOf(verifier => verifier.bundle(bundleSubject, packed, noEnvelope))).toBe('unsigned');
  });

  it('is verified with keys that are trusted then: a key that ends before the commit commits nothing', () => {
    const [root, key, other] = [1, 2, 3].map(() => readSigningKey(makeSigningKey())) as [
      SigningKey,
      SigningKey,
      SigningKey,
    ];
    const roots = rootKeyFiles(() => [Buffer.from(rootKeyFile(root))]);
    const trust = new KeyTrust({ roots, subject: subjects.keys, earlier: { get: () => undefined } });
    const verifier = new Verifier(trust, subjects, () => undefined);
    const listOf = (number: number, trusted: SigningKey) =>
      signKeyList(root, subjects.keys, { number, trusted: [trusted.publicHalf], ended: [] });
    verifier.takeKeyList(listOf(1, key));
    const envelope = signEnvelope(key, bundleSubject, packed);
    const next = signEnvelope(key, headSubject, encode(head));
    verifier.bundle(bundleSubject, envelope, signPush(key, bundleSubject, envelope, next));
    verifier.takeKeyList(listOf(2, other));
    expect(() => verifier.head(null, next)).toThrow('unknown key');
  });
});
