import { describe, expect, it } from 'vitest';

import { giveDebuggersMaps } from '../../../../node-image/src/process/debugger-maps.ts';
import { SOURCE_MAP_KEY } from '../../../../shared/module-script.ts';

describe('giveDebuggersMaps', () => {
  it('gives the maps that are known, until it ends', () => {
    const key = Symbol.for(SOURCE_MAP_KEY);
    {
      using _maps = giveDebuggersMaps(script => (script === 'demo@3f2a9c0b1d4e' ? Buffer.from('map') : null));
      const give = Reflect.get(globalThis, key) as (script: string) => string | null;
      expect(give('demo@3f2a9c0b1d4e')).toBe(Buffer.from('map').toString('base64'));
      expect(give('demo@000000000000')).toBeNull();
    }
    expect(Reflect.has(globalThis, key)).toBe(false);
  });
});
