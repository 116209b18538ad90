import { afterAll, beforeAll, expect } from 'vitest';

import type { Credentials } from '../../../../protocol/operators/credentials.ts';
import type { Heard } from '../../../../protocol/operators/session.ts';
import { OperatorStand } from '../../../support/operators/operator-stand.ts';
import { run } from '../../../support/shell.ts';

export const TIMEOUT_MS = 10_000;

/** The fleet of these tests. */
export let stand: OperatorStand;

/** An operator who may push. */
export let ci: Credentials;

beforeAll(async () => {
  const bundled = await run('npm', ['run', 'bundle', '-w', 'packages/hotcast'], {});
  expect(bundled.exitCode, bundled.stderr).toBe(0);
  stand = await OperatorStand.start();
  ci = await stand.add('ci', ['push']);
});
afterAll(() => stand?.[Symbol.asyncDispose]());

export const line = (...args: string[]): Heard => ({ type: 'run', args, env: {}, isTerminal: false });

/** The last entry of the audit, as JSON. */
export async function lastAudit(): Promise<{
  readonly author: string;
  readonly command: string;
  readonly detail: string;
}> {
  const { stdout } = await stand.local('audit', '--json');
  const { entries } = JSON.parse(stdout) as { readonly entries: readonly never[] };
  return entries[0] ?? { author: '', command: '', detail: '' };
}

/** How often the services have logged this. */
export const logged = (text: string): number => stand.log.logged.filter(({ message }) => message.includes(text)).length;
