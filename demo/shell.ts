import { spawn } from 'node:child_process';

/** What a command printed, standard output and error in the order in which they came, and its exit status. */
export interface Ran {
  readonly output: string;
  readonly status: number;
}

/** Runs a command line in bash, from the project's folder, as a user would type it. */
export async function shell(line: string): Promise<Ran> {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, MFLAGS: _more, ...env } = process.env;
  const child = spawn('bash', ['-c', line], {
    env: { ...env, COMPOSE_PROGRESS: 'quiet' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', code => resolve(code ?? 1));
  });
  return { output: withoutMake(output), status };
}

/** What make itself says of a failed command (`make: *** [push] Error 1`) is not the command's answer. */
function withoutMake(output: string): string {
  return output
    .split('\n')
    .filter(line => !/^make(\[\d+\])?: \*\*\* /.test(line))
    .join('\n')
    .trimEnd();
}
