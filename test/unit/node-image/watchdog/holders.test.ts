import { describe, expect, it } from 'vitest';

import {
  grownSince,
  type Holder,
  holdersOf,
  mainHolder,
  type ProfileNode,
} from '../../../../node-image/src/watchdog/holders.ts';

const DEMO = 'demo@3f2a9c81b0d4';
const WEB = 'web@0123456789ab';

const node = (url: string, lineNumber: number, selfSize: number, ...children: ProfileNode[]): ProfileNode => ({
  callFrame: { url, lineNumber, columnNumber: 8 },
  selfSize,
  children,
});

const holder = (script: string, bytes: number): Holder => ({ script, bytes, position: `${script}:1:1` });

describe('holdersOf', () => {
  it('counts an allocation for the innermost module on its stack, also below code of Node.js', () => {
    const profile = node(
      '',
      0,
      7,
      node(WEB, 0, 10, node(DEMO, 3, 1, node('node:buffer', 5, 100))),
      node('node:fs', 0, 50),
    );
    expect(holdersOf(profile)).toEqual([
      { script: DEMO, bytes: 101, position: `${DEMO}:4:9` },
      { script: WEB, bytes: 10, position: `${WEB}:1:9` },
    ]);
  });

  it('names the function that allocated most, wherever it was called from', () => {
    const twice = [node(DEMO, 0, 30), node(DEMO, 1, 20), node('node:timers', 0, 0, node(DEMO, 1, 25))];
    expect(holdersOf(node('', 0, 0, ...twice))).toEqual([{ script: DEMO, bytes: 75, position: `${DEMO}:2:9` }]);
  });
});

describe('grownSince', () => {
  it('leaves out what was held before, and revisions that hold less', () => {
    const before = [holder(WEB, 50), holder(DEMO, 40)];
    expect(grownSince([holder(DEMO, 100), holder(WEB, 45)], before)).toEqual([holder(DEMO, 60)]);
  });
});

describe('mainHolder', () => {
  it.each([
    ['most of the memory', [holder(DEMO, 60), holder(WEB, 40)], 50, holder(DEMO, 60)],
    ['all of a small growth', [holder(DEMO, 60)], 61, null],
    ['one of many equal parts', [holder(DEMO, 60), holder(WEB, 60), holder('shop@0123456789ab', 60)], 50, null],
    ['nothing', [], 0, null],
  ])('decides about a revision that holds %s', (_, growth, minBytes, found) => {
    expect(mainHolder(growth, minBytes)).toEqual(found);
  });
});
