import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { contextFolder, contextOf } from '../../../../packages/hotcast/src/remote/context-folder.ts';
import { runContext } from '../../../../packages/hotcast/src/remote/run-context.ts';

const credentials = {
  cookie: 'dino',
  name: 'ci',
  url: 'tls://fleet.example.com:4222',
  seed: `SU${'A'.repeat(56)}`,
  authority: null,
};

const nothing = { context: null, project: null };

let home: string;
let env: Readonly<Record<string, string>>;
let folder: string;
let file: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hotcast-contexts-'));
  env = { XDG_CONFIG_HOME: home };
  folder = contextFolder(env);
  file = join(home, 'ci.json');
  writeFileSync(file, JSON.stringify(credentials));
});
afterEach(() => rmSync(home, { recursive: true }));

describe('contexts', () => {
  it('keep a copy of credentials that only their user can read', () => {
    expect(runContext(folder, ['add', 'prod', file])).toBe('prod is the operator ci at tls://fleet.example.com:4222');
    rmSync(file);
    const kept = contextOf({ ...nothing, context: 'prod' }, env);
    expect(JSON.parse(readFileSync(kept?.file ?? '', 'utf8'))).toEqual(credentials);
    expect(statSync(kept?.file ?? '').mode & 0o777).toBe(0o600);
  });

  it('are listed with the one in use, without what is secret', () => {
    runContext(folder, ['add', 'prod', file]);
    expect(runContext(folder, ['ls'])).toBe(
      '* default  the Compose project, through Docker\n  prod     ci at tls://fleet.example.com:4222, cookie dino',
    );
    runContext(folder, ['use', 'prod']);
    expect(runContext(folder, ['ls'])).toMatch(/^ {2}default.*\n\* prod/);
    expect(runContext(folder, ['ls'])).not.toContain(credentials.seed);
  });

  it('are chosen by the option, then the variable, then by what is in use; a project that is named is on this machine', () => {
    for (const name of ['one', 'two', 'three']) runContext(folder, ['add', name, file]);
    runContext(folder, ['use', 'one']);
    expect(contextOf(nothing, env)?.name).toBe('one');
    expect(contextOf(nothing, { ...env, HOTCAST_CONTEXT: 'two' })?.name).toBe('two');
    expect(contextOf({ ...nothing, context: 'three' }, { ...env, HOTCAST_CONTEXT: 'two' })?.name).toBe('three');
    expect(contextOf({ ...nothing, context: 'default' }, env)).toBeNull();
    expect(contextOf({ ...nothing, project: 'quarry' }, { ...env, HOTCAST_CONTEXT: 'two' })).toBeNull();
  });

  it('leave a name that is none of them to Docker, if the option has it', () => {
    expect(contextOf({ ...nothing, context: 'mars' }, env)).toBeNull();
    expect(contextOf({ ...nothing, context: '../ci' }, env)).toBeNull();
    expect(() => contextOf(nothing, { ...env, HOTCAST_CONTEXT: 'mars' })).toThrow('there is no context "mars"');
  });

  it('that are removed are not in use any more', () => {
    runContext(folder, ['add', 'prod', file]);
    runContext(folder, ['use', 'prod']);
    runContext(folder, ['rm', 'prod']);
    expect(contextOf(nothing, env)).toBeNull();
  });

  it.each([
    [['add', 'prod'], 'usage'],
    [['add', 'prod', 'no-such-file'], 'cannot read no-such-file (ENOENT)'],
    [['add', 'default', 'ci.json'], 'not a name for a context'],
    [['add', '../prod', 'ci.json'], 'not a name for a context'],
    [['use', 'mars'], 'there is no context "mars"'],
    [['rm', '../ci'], 'there is no context'],
    [['fly'], 'usage'],
  ])('refuse %j in one line', (args, why) => {
    expect(() => runContext(folder, args)).toThrow(why);
  });

  it.each([
    '{',
    '{}',
    JSON.stringify({ ...credentials, url: 'nats://fleet.example.com:4222' }),
    JSON.stringify({ ...credentials, url: 'tls://user:secret@fleet.example.com:4222' }),
    JSON.stringify({ ...credentials, seed: 'SUAA' }),
  ])('take no file that is not credentials, or that would go without TLS: %s', text => {
    writeFileSync(file, text);
    expect(() => runContext(folder, ['add', 'prod', file])).toThrow(`${file} is not an operator's credentials`);
  });

  it('go without TLS to this machine alone: the end of a tunnel', () => {
    writeFileSync(file, JSON.stringify({ ...credentials, url: 'nats://127.0.0.1:4222' }));
    expect(runContext(folder, ['add', 'prod', file])).toContain('nats://127.0.0.1:4222');
  });
});
