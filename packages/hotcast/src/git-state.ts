import { execFile } from 'node:child_process';

/** The commit of a folder in git, with `-dirty` if something in the folder differs from it. The container does not see it. */
export function gitState(folder: string): Promise<string> {
  const args = [
    '--no-optional-locks',
    '-C',
    folder,
    'status',
    '--porcelain=v2',
    '--branch',
    '--untracked-files=normal',
  ];
  return new Promise(done => {
    execFile('git', [...args, '--', '.'], { encoding: 'utf8', maxBuffer: Infinity }, (error, stdout) => {
      const [, commit] = /^# branch\.oid ([0-9a-f]+)$/m.exec(error === null ? stdout : '') ?? [];
      done(commit === undefined ? '' : `${commit}${/^[^#\n]/m.test(stdout) ? '-dirty' : ''}`);
    });
  });
}
