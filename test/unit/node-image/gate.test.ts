import { describe, expect, it } from 'vitest';

import { Gate, UntrustedError } from '../../../node-image/src/gate.ts';
import { encodeBundle } from '../../../protocol/bundle.ts';
import { encode } from '../../../protocol/codec.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { bundleOf, gateOf, headOf, sealed } from '../fixtures.ts';

const subjects = subjectsOf('dino');
const bundle = bundleOf('demo', 'exports.one = () => 1;');
const packed = encodeBundle(bundle);
const bundleSubject = subjects.bundle('demo', bundle.revision);
const head = headOf('demo', bundle.revision, 1);
const headSubject = subjects.head('demo');

function faultOf(body: (gate: Gate) => unknown): string {
  const gate = gateOf(subjects);
  try {
    body(gate);
  } catch (error) {
    if (!(error instanceof UntrustedError)) throw error;
    expect(gate.refused).toBe(1);
    return error.fault;
  }
  return 'none';
}

describe('the gate', () => {
  it('lets in what is sealed for where it was found, or was sent to this node alone', () => {
    const gate = gateOf(subjects);
    expect(gate.bundle(bundleSubject, sealed(bundleSubject, packed))).toEqual(bundle);
    expect(gate.bundle(null, sealed(bundleSubject, packed))).toEqual(bundle);
    expect(gate.head(headSubject, sealed(headSubject, encode(head)))).toEqual(head);
    expect(gate.refused).toBe(0);
  });

  it('refuses what is well formed and not sealed', () => {
    expect(faultOf(gate => gate.bundle(bundleSubject, packed))).toBe('unsealed');
    expect(faultOf(gate => gate.head(headSubject, encode(head)))).toBe('unsealed');
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
      expect(faultOf(gate => gate.bundle(bundleSubject, sealed(subject, packed)))).toBe('misplaced');
      expect(faultOf(gate => gate.bundle(null, sealed(subject, packed)))).toBe('misplaced');
      expect(faultOf(gate => gate.head(null, sealed(strange.head('demo'), encode(head))))).toBe('misplaced');
    }
  });

  it('refuses a record under a name that it does not have, although it is sealed for that', () => {
    const subject = subjects.bundle('other', bundle.revision);
    expect(faultOf(gate => gate.bundle(subject, sealed(subject, packed)))).toBe('misplaced');
    expect(faultOf(gate => gate.head(null, sealed(subjects.head('other'), encode(head))))).toBe('misplaced');
  });

  it('refuses a head from the future', () => {
    const later = Date.now() + 3_600_000;
    for (const fields of [{ at: later }, { sequence: later }]) {
      const ahead = sealed(headSubject, encode({ ...head, ...fields }));
      expect(faultOf(gate => gate.head(headSubject, ahead))).toBe('from the future');
    }
    const slightly = sealed(headSubject, encode({ ...head, at: Date.now() + 60_000 }));
    expect(faultOf(gate => gate.head(headSubject, slightly))).toBe('none');
  });
});
