import { describe, expect, it } from 'vitest';

import { Gate, UntrustedError } from '../../../node-image/src/gate.ts';
import { encodeBundle } from '../../../protocol/bundle.ts';
import { encode } from '../../../protocol/codec.ts';
import { encodeLoadOrder } from '../../../protocol/load-order.ts';
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
  it('lets in what is sealed for where it was found', () => {
    const gate = gateOf(subjects);
    expect(gate.bundle(bundleSubject, sealed(bundleSubject, packed))).toEqual(bundle);
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

  it('lets in an order to load once, and none from before the process', () => {
    const toFred = subjects.node('fred', 'load');
    const order = (at: number): Uint8Array => sealed(toFred, encodeLoadOrder({ at, packed }));
    const now = Date.now();
    const gate = gateOf(subjects);
    expect(gate.loadOrder(toFred, order(now))).toEqual(bundle);
    for (const at of [now, now - 1]) expect(() => gate.loadOrder(toFred, order(at))).toThrow('played again');
    expect(gate.loadOrder(toFred, order(now + 0.5))).toEqual(bundle);
    expect(faultOf(fresh => fresh.loadOrder(toFred, order(performance.timeOrigin - 1)))).toBe('played again');
    expect(faultOf(fresh => fresh.loadOrder(toFred, order(now + 3_600_000)))).toBe('from the future');
    expect(faultOf(fresh => fresh.loadOrder(subjects.node('betty', 'load'), order(now)))).toBe('misplaced');
    expect(faultOf(fresh => fresh.loadOrder(toFred, sealed(bundleSubject, packed)))).toBe('misplaced');
  });
});
