import { Command as Program } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';

import { defineCli } from '../../../../controller/src/cli/commands.ts';
import type { CommandBody } from '../../../../controller/src/cli/definition/command-body.ts';

/** The command that a line sends, and what it prints. */
async function sent(line: string) {
  const bodies: CommandBody[] = [];
  const errors: string[] = [];
  const program = new Program('hotcast')
    .configureOutput({ writeErr: text => void errors.push(text.trimEnd()) })
    .exitOverride();
  const change = { author: 'wilma', change: '0b5e6f7c-3d8a-4c1e-9f2b-7a6d5c4b3a29', version: '0.1.0' };
  const send = async (_: unknown, body: CommandBody): Promise<void> => void bodies.push(body);
  const unused = async (): Promise<void> => undefined;
  defineCli(program, change, {
    send,
    backup: unused,
    restore: unused,
    shell: unused,
    serve: unused,
    print: () => undefined,
  });
  await program.parseAsync(line.split(' '), { from: 'user' }).catch(() => undefined);
  return { bodies, errors };
}

describe('push', () => {
  it.each([
    ['push demo counter', ['demo', 'counter']],
    ['push --all', 'all'],
    ['push --affected', 'affected'],
  ])('takes names, all modules or those that are affected: %s', async (line, modules) => {
    expect(await sent(line)).toMatchObject({ bodies: [{ type: 'push', modules }], errors: [] });
  });

  it.each([
    ['push', 'error: name a module, or give --all or --affected'],
    ['push demo --all', 'error: name modules, or give --all, not both'],
    ['push demo --affected', 'error: name modules, or give --affected, not both'],
    ['push --all --affected', "error: option '--affected' cannot be used with option '--all'"],
  ])('sends nothing if it takes none of them or two, and says what to give: %s', async (line, error) => {
    expect(await sent(line)).toEqual({ bodies: [], errors: [error] });
  });
});
