import { UsageError } from '../../../protocol/errors.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACE = '\u007F';

/** Asks for a passphrase in the terminal, which does not show it. @throws UsageError without a terminal, and after Ctrl+C. */
export function readPassphrase(): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw new UsageError('--keys needs a passphrase in HOTCAST_PASSPHRASE');
  stderr.write('Passphrase: ');
  stdin.setRawMode(true).setEncoding('utf8').resume();
  let typed = '';
  return new Promise((done, fail) => {
    const read = (keys: string): void => {
      for (const key of keys) {
        if (key === BACKSPACE) typed = typed.replace(/.$/su, '');
        else if (!['\r', '\n', CTRL_C, CTRL_D].includes(key)) typed += key;
        else {
          stdin.off('data', read).setRawMode(false).pause();
          stderr.write('\n');
          return key === CTRL_C ? fail(new UsageError('interrupted: nothing was sent')) : done(typed);
        }
      }
    };
    stdin.on('data', read);
  });
}
