import { describe, expect, it } from 'vitest';

import { listenAddress } from '../../../../../node-image/src/sandbox/listening/listen-address.ts';

const onListening = (): void => undefined;

describe('the arguments of listen', () => {
  it.for([
    [[3000], '*:3000'],
    [['3000'], '*:3000'],
    [[], '*:0'],
    [[onListening], '*:0'],
    [[3000, '127.0.0.1'], '127.0.0.1:3000'],
    [[3000, '127.0.0.1', 511, onListening], '127.0.0.1:3000'],
    [[3000, 'localhost'], '127.0.0.1:3000'],
    [[3000, 511], '*:3000'],
    [['/tmp/a.sock'], '/tmp/a.sock'],
    [[{ port: 3000 }], '*:3000'],
    [[{ port: '3000', host: '::1' }], '::1:3000'],
    [[{ path: '/tmp/a.sock' }, onListening], '/tmp/a.sock'],
  ] as const)('%j is %s', ([args, key]) => {
    expect(listenAddress(args)?.key).toBe(key);
  });

  it.for([[{ fd: 3 }], [{}], [{ port: 65_536 }], [{ port: 'x' }], [{ port: -1 }], [{ port: 1.5 }], [NaN]])(
    '%j are left to Node.js',
    args => {
      expect(listenAddress(args)).toBeNull();
    },
  );

  it('have a backlog and a callback', () => {
    expect(listenAddress([3000, '::', 5, onListening])).toMatchObject({ options: { backlog: 5 }, onListening });
    expect(listenAddress([3000, 5])).toMatchObject({ options: { backlog: 5 }, onListening: null });
  });
});
