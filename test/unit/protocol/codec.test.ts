import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decode, encode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { headSchema } from '../../../protocol/head.ts';
import { callAnswer, callRequest, digestRequest, nodeDescription, refusalReason } from '../../../protocol/messages.ts';
import { descriptionOf, headOf, moduleNames, nodeNames, revisions, texts } from '../fixtures.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The message of the DecodeError that `body` throws. */
function decodeErrorOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('decode', () => {
  it('returns what was encoded: calls', () => {
    const json = fc.jsonValue().map(value => JSON.parse(JSON.stringify(value)) as unknown);
    const requests = fc.record({ module: moduleNames, function: texts, args: fc.array(json) });
    fc.assert(
      fc.property(requests, request => {
        expect(decode(callRequest, encode(request))).toEqual(request);
      }),
    );
  });

  it('takes of the modules of a node what it knows, and names what is wrong with them', () => {
    const running = { revision: 'a'.repeat(64), sequence: 1, calls: 2, errors: 1, inFlight: 0 };
    const decoded = (module: object, name = 'demo') =>
      decode(nodeDescription, encode({ ...descriptionOf('fred'), modules: { [name]: module } })).modules;
    expect(decoded(running)).toEqual({ demo: running });
    expect(decoded({ ...running, requests: 3 })).toEqual({ demo: { ...running, requests: 3 } });
    expect(decoded({ ...running, later: true })).toEqual({ demo: running });
    const wrong = [
      { sequence: -1 },
      { calls: 0.5 },
      { errors: '1' },
      { inFlight: null },
      { revision: 'A'.repeat(64) },
      { requests: -1 },
    ];
    for (const fields of wrong) {
      const [field = ''] = Object.keys(fields);
      expect(decodeErrorOf(() => decoded({ ...running, ...fields }))).toMatch(`modules.demo.${field}`);
    }
    expect(decodeErrorOf(() => decoded(running, 'Demo'))).toMatch('modules.Demo');
    expect(() => decode(nodeDescription, encode({ ...descriptionOf('fred'), modules: [running] }))).toThrow(
      DecodeError,
    );
  });

  it('returns what was encoded: descriptions of nodes', () => {
    const count = fc.maxSafeNat();
    const descriptions = fc.record({
      node: nodeNames,
      protocol: count,
      container: fc.string(),
      pid: count,
      startedAt: count,
      uptimeSeconds: count,
      memoryBytes: count,
      loopDelay: count,
      refusals: fc.dictionary(
        moduleNames,
        fc.record({ sequence: count, reason: fc.constantFrom(...refusalReason.options), detail: texts }),
      ),
      rejected: count,
      draining: fc.array(
        fc.record({ module: moduleNames, revision: revisions, since: count, inFlight: count, heldBy: texts }),
      ),
      modules: fc.dictionary(
        moduleNames,
        fc.record({
          revision: revisions,
          sequence: count,
          calls: count,
          errors: count,
          inFlight: count,
        }),
        {
          noNullPrototype: true,
        },
      ),
    });
    fc.assert(
      fc.property(descriptions, description => {
        expect(decode(nodeDescription, encode(description))).toEqual(description);
      }),
    );
  });

  it.each(['', '{', 'undefined', "{'a': 1}", '\u0000'])('rejects a text that is not JSON: %j', text => {
    expect(decodeErrorOf(() => decode(callRequest, bytesOf(text)))).toBe('the message is not JSON');
  });

  it('rejects bytes that are not UTF-8', () => {
    const bytes = new Uint8Array([...bytesOf('{"heads":{},"x":"'), 0xff, 0xc0, ...bytesOf('"}')]);
    expect(decodeErrorOf(() => decode(digestRequest, bytes))).toBe('the message is not JSON');
  });

  it('names the bad field', () => {
    const head = headOf('demo', 'f'.repeat(64), 1);
    const messageOf = (fields: object): string =>
      decodeErrorOf(() => decode(headSchema, encode({ ...head, ...fields })));
    expect(messageOf({ sequence: -1 })).toMatch(/^sequence: /);
    expect(messageOf({ sequence: 1.5 })).toMatch(/^sequence: /);
    expect(messageOf({ revision: 'F'.repeat(64) })).toBe('revision: a revision is 64 hex digits');
    expect(messageOf({ module: 'Demo' })).toMatch(/^module: a module's name is a lower-case letter/);
    expect(messageOf({ author: undefined })).toMatch(/^author: /);
  });

  it('rejects an unknown status', () => {
    const answer = { status: 'maybe', node: 'fred', output: [] };
    expect(decodeErrorOf(() => decode(callAnswer, encode(answer)))).toMatch(/^status: /);
  });

  it('names the whole message when it is not an object', () => {
    expect(decodeErrorOf(() => decode(callRequest, bytesOf('7')))).toMatch(/^the message: /);
  });

  it('throws only DecodeError, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        expect(decodeErrorOf(() => decode(callRequest, bytes))).not.toBe('');
      }),
    );
  });
});
