import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { decodeBundle, encodeBundle } from '../../../protocol/bundle.ts';
import { decode, decodeRecord, encode, encodeRecord } from '../../../protocol/codec.ts';
import { joinFrames } from '../../../protocol/bytes/framing.ts';
import { headSchema } from '../../../protocol/head.ts';
import { nodeDescription } from '../../../protocol/messages.ts';
import { decodePackageSet, encodePackageSet, packageSetHashOf } from '../../../protocol/packages.ts';
import { FORMAT, FormatError, isSpoken, PROTOCOL, protocolOf, UNVERSIONED } from '../../../protocol/version.ts';
import { bundleOf, descriptionOf, headOf } from '../fixtures.ts';

const head = headOf('demo', 'a'.repeat(64), 7);

/** A bundle whose label says this format, and is otherwise what a release of that format could write. */
function bundleOfFormat(format: number): Uint8Array {
  return Buffer.concat([joinFrames([Buffer.alloc(0)]), gzipSync(joinFrames([encode({ format, other: 'shape' })]))]);
}

describe('a record of the stream', () => {
  it('says its format', () => {
    const formatOf = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());
    expect(formatOf(encodeRecord(head))).toMatchObject({ format: FORMAT });
    expect(formatOf(encodePackageSet({ roots: {}, instances: [] }))).toMatchObject({ format: FORMAT });
    expect(decodeBundle(encodeBundle(bundleOf('demo', '1')))).not.toHaveProperty('format');
  });

  it('is read without a format, and of the format before: it is of the last release', () => {
    expect(UNVERSIONED).toBe(FORMAT - 1);
    expect(decodeRecord(headSchema, encode(head))).toEqual(head);
    expect(decodeRecord(headSchema, encode({ ...head, format: FORMAT - 1 }))).toEqual(head);
    const set = encode({ roots: {}, instances: [] });
    expect(decodePackageSet(set, packageSetHashOf(set))).toEqual({ roots: {}, instances: [] });
  });

  it('keeps its meaning when it has fields that this release does not know', () => {
    expect(decodeRecord(headSchema, encodeRecord({ ...head, color: 'blue' }))).toEqual(head);
    expect(decode(nodeDescription, encode({ ...descriptionOf('fred'), color: 'blue' }))).toEqual(descriptionOf('fred'));
  });

  it.each([FORMAT + 1, FORMAT - 2])('of format %i is named, whatever its shape', format => {
    const set = encode({ format, other: 'shape' });
    expect(() => decodeRecord(headSchema, encode({ format, other: 'shape' }))).toThrow(FormatError);
    expect(() => decodePackageSet(set, packageSetHashOf(set))).toThrow(FormatError);
    expect(() => decodeBundle(bundleOfFormat(format))).toThrow(`it has format ${format}, and this process reads`);
  });
});

describe('two processes', () => {
  it('understand each other when their versions differ by one at most', () => {
    expect([-2, -1, 0, 1, 2].map(difference => isSpoken(PROTOCOL + difference))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('know of each other which version they speak, whatever else they say', () => {
    expect(protocolOf({ protocol: 9, other: 'shape' })).toBe(9);
    expect(protocolOf({ node: 'fred' })).toBe(UNVERSIONED);
    expect(protocolOf('fred')).toBeNull();
  });
});
