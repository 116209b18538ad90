import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { hostAddress } from '../../../../../node-image/src/sandbox/listening/host-address.ts';

const folder = mkdtempSync(join(tmpdir(), 'hosts-'));
const file = join(folder, 'hosts');
writeFileSync(
  file,
  '::1 localhost\n# 10.0.0.9 8e5b0e6b8807\nnonsense\n10.0.0.7\t8E5b0e6b8807 node # also fred\n10.0.0.8 node\n',
);
afterAll(() => rmSync(folder, { recursive: true }));

describe('the host of a listen', () => {
  it.for([
    ['localhost', '127.0.0.1'],
    ['LocalHost', '127.0.0.1'],
    ['app.localhost', '127.0.0.1'],
    ['8e5b0e6b8807', '10.0.0.7'],
    ['node', '10.0.0.7'],
    ['::1', '::1'],
    ['0.0.0.0', '0.0.0.0'],
    ['fred', 'fred'],
    ['', ''],
  ] as const)('%s is %s', ([host, address]) => {
    expect(hostAddress(host, file)).toBe(address);
  });

  it('stays as it is without a hosts file', () => {
    expect(hostAddress('node', join(folder, 'none'))).toBe('node');
  });
});
