import { spawn } from 'node:child_process';

/** The result of a command: its exit status, and its standard output and error in the order of printing. */
export interface ShellResult {
  readonly output: string;
  readonly status: number;
}

/** Runs a command line in bash in the project's folder, as a user types it. @param input what it reads; nothing without it. */
export async function shell(line: string, input = ''): Promise<ShellResult> {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, MFLAGS: _more, ...env } = process.env;
  const child = spawn('bash', ['-c', line], {
    env: { ...env, COMPOSE_PROGRESS: 'quiet' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined).end(input);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', code => resolve(code ?? 1));
  });
  return { output: withoutMake(output), status };
}

/** Removes the lines that make itself prints for a failed command: `make: *** [push] Error 1`. */
function withoutMake(output: string): string {
  return output
    .split('\n')
    .filter(line => !/^make(\[\d+\])?: \*\*\* /.test(line))
    .join('\n')
    .trimEnd();
}
