import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connectOperator } from '../../packages/hotcast/src/remote/connect-operator.ts';
import { OperatorStand } from '../support/operators/operator-stand.ts';
import { run } from '../support/shell.ts';

let stand: OperatorStand;

beforeAll(async () => {
  const bundled = await run('npm', ['run', 'bundle', '-w', 'packages/hotcast'], {});
  expect(bundled.exitCode, bundled.stderr).toBe(0);
  stand = await OperatorStand.start({ servers: 3 });
});
afterAll(() => stand?.[Symbol.asyncDispose]());

describe('an operator, with three servers of NATS', () => {
  it('loses its connections at once when it is revoked, whichever server has them', async () => {
    const ci = await stand.add('ci', []);
    expect(await stand.remote(ci, 'ping')).toMatchObject({ status: 0, stderr: '' });
    const connections = await Promise.all(stand.url.split(',').map(url => connectOperator({ ...ci, url })));
    const revokedAt = performance.now();
    await stand.local('operator', 'revoke', 'ci');
    await Promise.all(connections.map(connection => connection.closed()));
    expect(performance.now() - revokedAt).toBeLessThan(3_000);
    expect(await stand.remote(ci, 'ping')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('does not admit ci'),
    });
  });
});
