import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect } from 'vitest';

import { ControlConnection } from '../../../support/cluster/control-connection.ts';
import type { LogLine } from '../../../../packages/testing/src/fleet/log-lines.ts';
import { ROOT } from '../../../support/shell.ts';
import { it } from './cluster.ts';

/** The source of an example module. */
const sourceOf = (module: string): string => readFileSync(join(ROOT, `modules/${module}.ts`), 'utf8');

interface Tick {
  readonly number: number;
  /** When the tick was (milliseconds). */
  readonly at: number;
}

describe('the timers of modules/ticker', () => {
  const PUSHES = 10;
  const PERIOD = 100;
  /** With a shorter period, and with a log line that has the number and the time of each tick. */
  const ticker = sourceOf('ticker')
    .replace('const PERIOD = 1_000', `const PERIOD = ${PERIOD}`)
    .replace('function tick(): void {', `$&\n  console.log('tick', ticks() + 1, performance.now());`);
  const ticksIn = ({ msg }: LogLine): Tick[] => {
    const [, number, at] = /^tick (\d+) ([\d.]+)$/.exec(msg) ?? [];
    return number === undefined ? [] : [{ number: Number(number), at: Number(at) }];
  };

  it(`tick once a period, never twice, over ${PUSHES} pushes`, async ({ cluster }) => {
    using control = new ControlConnection((await cluster.container('controller')).id);
    for (let push = 0; push <= PUSHES; push += 1) {
      cluster.writeModule('ticker', `${ticker}\nexport const pushed = ${push};\n`);
      expect(await control.push('ticker')).toMatchObject({ outcome: 'committed' });
      // Four ticks for five pushes, so that pushes come at different times within a period.
      await cluster.waitForLog('fred', logged => ticksIn(logged).some(({ number }) => number > (push * 4) / 5));
    }
    for (const node of cluster.nodeNames) {
      const ticks = (await cluster.logsOf(node)).flatMap(ticksIn);
      expect(ticks.map(({ number }) => number)).toEqual(ticks.map((_, index) => index + 1));
      // A tick that is late because the machine is slow is followed by one in time. What each push delays adds up.
      const delayOf = ({ at, number }: Tick): number => at - number * PERIOD;
      const least = Math.min(...ticks.map(delayOf));
      await cluster.waitForLog(node, logged =>
        ticksIn(logged).some(tick => tick.number > ticks.length && delayOf(tick) - least < PERIOD),
      );
    }
    // What it logs would be in the shells of other tests.
    await cluster.hotcast('remove', 'ticker');
  });
});
