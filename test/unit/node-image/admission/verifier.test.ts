import { describe, expect, it } from 'vitest';

import { Verifier, RejectedError } from '../../../../node-image/src/admission/verifier.ts';
import { encodeBundle } from '../../../../protocol/bundle.ts';
import { encode } from '../../../../protocol/codec.ts';
import { encodeLoadCommand } from '../../../../protocol/load-command.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { bundleOf, verifierOf, headOf, sealed } from '../../fixtures.ts';

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
    expect(verifier.refused).toBe(1);
    return error.fault;
  }
  return 'none';
}

describe('the verifier', () => {
  it('lets in what is sealed for where it was found', () => {
    const verifier = verifierOf(subjects);
    expect(verifier.bundle(bundleSubject, sealed(bundleSubject, packed))).toEqual(bundle);
    expect(verifier.head(headSubject, sealed(headSubject, encode(head)))).toEqual(head);
    expect(verifier.refused).toBe(0);
  });

  it('refuses what is well formed and not sealed', () => {
    expect(faultOf(verifier => verifier.bundle(bundleSubject, packed))).toBe('unsigned');
    expect(faultOf(verifier => verifier.head(headSubject, encode(head)))).toBe('unsigned');
  });

  it('refuses what was sealed for another cookie, module or revision', () => {
    const strange = subjectsOf('rubble');
    const elsewhere = [
      strange.bundle('demo', bundle.revision),
      subjects.bundle('other', bundle.revision),
      subjects.bundle('demo', 'f'.repeat(64)),
      headSubject,
    ];
    for (const subject of elsewhere) {
      expect(faultOf(verifier => verifier.bundle(bundleSubject, sealed(subject, packed)))).toBe('wrong subject');
      expect(faultOf(verifier => verifier.head(null, sealed(strange.head('demo'), encode(head))))).toBe(
        'wrong subject',
      );
    }
  });

  it('refuses a record under a name that it does not have, although it is sealed for that', () => {
    const subject = subjects.bundle('other', bundle.revision);
    expect(faultOf(verifier => verifier.bundle(subject, sealed(subject, packed)))).toBe('wrong subject');
    expect(faultOf(verifier => verifier.head(null, sealed(subjects.head('other'), encode(head))))).toBe(
      'wrong subject',
    );
  });

  it('refuses a head from the future', () => {
    const later = Date.now() + 3_600_000;
    for (const fields of [{ at: later }, { sequence: later }]) {
      const ahead = sealed(headSubject, encode({ ...head, ...fields }));
      expect(faultOf(verifier => verifier.head(headSubject, ahead))).toBe('from the future');
    }
    const slightly = sealed(headSubject, encode({ ...head, at: Date.now() + 60_000 }));
    expect(faultOf(verifier => verifier.head(headSubject, slightly))).toBe('none');
  });

  it('lets in an order to load once, and none from before the process', () => {
    const toFred = subjects.node('fred', 'load');
    const order = (at: number): Uint8Array => sealed(toFred, encodeLoadCommand({ at, packed }));
    const now = Date.now();
    const verifier = verifierOf(subjects);
    expect(verifier.loadCommand(toFred, order(now))).toEqual(bundle);
    for (const at of [now, now - 1]) expect(() => verifier.loadCommand(toFred, order(at))).toThrow('replayed');
    expect(verifier.loadCommand(toFred, order(now + 0.5))).toEqual(bundle);
    expect(faultOf(fresh => fresh.loadCommand(toFred, order(performance.timeOrigin - 1)))).toBe('replayed');
    expect(faultOf(fresh => fresh.loadCommand(toFred, order(now + 3_600_000)))).toBe('from the future');
    expect(faultOf(fresh => fresh.loadCommand(subjects.node('betty', 'load'), order(now)))).toBe('wrong subject');
    expect(faultOf(fresh => fresh.loadCommand(toFred, sealed(bundleSubject, packed)))).toBe('wrong subject');
  });
});
