import { describe, expect, it } from 'vitest';

import { RejectedError, type Verifier } from '../../../../node-image/src/admission/verifier.ts';
import { encodeBundle } from '../../../../protocol/bundle.ts';
import { encode } from '../../../../protocol/codec.ts';
import { encodeLoadCommand } from '../../../../protocol/load-command.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { bundleOf, verifierOf, headOf, signed } from '../../fixtures.ts';

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

  it('rejects a head from the future', () => {
    const later = Date.now() + 3_600_000;
    for (const fields of [{ at: later }, { sequence: later }]) {
      const ahead = signed(headSubject, encode({ ...head, ...fields }));
      expect(faultOf(verifier => verifier.head(headSubject, ahead))).toBe('from the future');
    }
    const slightly = signed(headSubject, encode({ ...head, at: Date.now() + 60_000 }));
    expect(faultOf(verifier => verifier.head(headSubject, slightly))).toBe('none');
  });

  it('accepts a load command once, and none that is older than the process', () => {
    const toFred = subjects.node('fred', 'load');
    const command = (at: number): Uint8Array => signed(toFred, encodeLoadCommand({ at, packed }));
    const now = Date.now();
    const verifier = verifierOf(subjects);
    expect(verifier.loadCommand(toFred, command(now))).toEqual(bundle);
    for (const at of [now, now - 1]) expect(() => verifier.loadCommand(toFred, command(at))).toThrow('replayed');
    expect(verifier.loadCommand(toFred, command(now + 0.5))).toEqual(bundle);
    expect(faultOf(fresh => fresh.loadCommand(toFred, command(performance.timeOrigin - 1)))).toBe('replayed');
    expect(faultOf(fresh => fresh.loadCommand(toFred, command(now + 3_600_000)))).toBe('from the future');
    expect(faultOf(fresh => fresh.loadCommand(subjects.node('betty', 'load'), command(now)))).toBe('wrong subject');
    expect(faultOf(fresh => fresh.loadCommand(toFred, signed(bundleSubject, packed)))).toBe('wrong subject');
  });
});
