import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DecodeError } from '../../../../protocol/errors.ts';
import { joinFrames, splitFrames } from '../../../../protocol/bytes/framing.ts';

const some = fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 5 });

describe('frames', () => {
  it('are split as they were joined', () => {
    fc.assert(
      fc.property(some, frames => {
        expect(splitFrames(joinFrames(frames)).map(frame => [...frame])).toEqual(frames.map(frame => [...frame]));
      }),
    );
  });

  it('are rejected when bytes are missing or left over', () => {
    const bytes = joinFrames([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
    for (let length = 0; length < bytes.length; length += 1) {
      // The first frame alone is valid.
      if (length === 7) continue;
      expect(() => splitFrames(bytes.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => splitFrames(Buffer.concat([bytes, Uint8Array.of(0)]))).toThrow(DecodeError);
  });

  it('are rejected when they are too many, before one is read', () => {
    const many = joinFrames(Array.from({ length: 4 }, () => new Uint8Array()));
    expect(splitFrames(many, 4)).toHaveLength(4);
    expect(() => splitFrames(many, 3)).toThrow('more than 3 frames');
  });
});
