import { describe, expect, it } from 'vitest';

import { run } from '../../support/shell.ts';

/** No container has the labels of this project. */
const env = { HOTCAST_PROJECT: 'no-such-project', COMPOSE_PROJECT_NAME: '', MODULE: '' };

describe('make', () => {
  it('adds nothing to what a command says when it fails, whatever its modules are called', async () => {
    for (const args of [['ping'], ['push', 'MODULE=nnn'], ['status', 'history']]) {
      const { exitCode, stdout, stderr } = await run('make', args, env);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toMatch(/^hotcast: [^\n]*\n$/);
    }
  });

  it('runs no command when it is asked only what it would run', async () => {
    const { exitCode, stdout, stderr } = await run('make', ['-n', 'push', 'MODULE=nnn'], env);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('setup/hotcast push nnn');
  });
});
