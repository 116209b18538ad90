import { spawnSync } from 'node:child_process';
import type { ReadStream } from 'node:tty';

const CTRL_C = '\u0003';
const CTRL_Z = '\u001A';

/** Whether keys can be read: a process in the background that changes the terminal is stopped. */
export function isInForeground(): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(process.pid)], { encoding: 'utf8' });
  return status !== 0 || stdout.trim() === '' || stdout.includes('+');
}

/** Passes each key on as it is typed, and gives the terminal back when disposed. Ctrl+C and Ctrl+Z stay what they are. */
export function passKeys(terminal: ReadStream, onKey: (key: string) => void): Disposable {
  const resume = (): void => void terminal.setRawMode(true);
  const end = (): void => {
    process.off('SIGCONT', resume);
    terminal.off('data', read).setRawMode(false).pause();
  };
  const read = (keys: string): void => {
    for (const key of keys) {
      if (key === CTRL_C) process.kill(process.pid, 'SIGINT');
      else if (key === CTRL_Z) suspend(terminal);
      else onKey(key);
    }
  };
  process.on('SIGCONT', resume);
  terminal.setRawMode(true).setEncoding('utf8').on('data', read);
  return { [Symbol.dispose]: end };
}

/** Stops this process and those that run it, as the terminal would. */
function suspend(terminal: ReadStream): void {
  terminal.setRawMode(false);
  process.kill(0, 'SIGTSTP');
}
