import { describe, expect, it } from 'vitest';

import { isDebuggerAttached } from '../../../../node-image/src/watchdog/attached-debugger.ts';

/** A line of /proc/net/tcp; 240D is port 9229. */
const line = (local: string, remote: string, state: string): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0`;

const LISTENS = line('0100007F:240D', '00000000:0000', '0A');

describe('isDebuggerAttached', () => {
  it.each([
    ['a client of the inspector', [LISTENS, line('0100007F:240D', '0100007F:C350', '01')], true],
    ['an inspector without a client', [LISTENS], false],
    ['a client that has left', [LISTENS, line('0100007F:240D', '0100007F:C350', '06')], false],
    ['a connection to that port elsewhere', [line('0100007F:C350', '0100007F:240D', '01')], false],
    ['a connection on another port', [line('0100007F:1F90', '0100007F:C350', '01')], false],
    ['no table', [], false],
  ])('knows %s', (_, lines, attached) => {
    const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
    const table = [header, ...lines].join('\n');
    expect(isDebuggerAttached(9229, path => (path.endsWith('tcp') ? table : ''))).toBe(attached);
    expect(isDebuggerAttached(9229, path => (path.endsWith('tcp6') ? table : ''))).toBe(attached);
  });
});
