import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { commandSchema } from '../../../controller/src/api/command.ts';
import { reportSchema } from '../../../controller/src/api/report.ts';
import { lineOf } from '../../../controller/src/api/validation.ts';
import * as bundle from '../../../protocol/bundle.ts';
import * as codec from '../../../protocol/codec.ts';
import * as headResult from '../../../protocol/history/head-result.ts';
import * as head from '../../../protocol/head.ts';
import * as loadCommand from '../../../protocol/load-command.ts';
import * as messages from '../../../protocol/messages.ts';
import * as packages from '../../../protocol/packages.ts';
import { PROTOCOL, UNVERSIONED } from '../../../protocol/version.ts';
import { ROOT } from '../../support/shell.ts';
import { bundleOf, descriptionOf, headOf } from '../fixtures.ts';

// The wire of the last release, from the history of this repository.
mkdirSync(join(ROOT, '.cache'), { recursive: true });
const folder = mkdtempSync(join(ROOT, '.cache/last-release-'));
afterAll(() => rmSync(folder, { recursive: true }));
const commit = readFileSync(join(ROOT, 'setup/last-release'), 'utf8').trim();
const archive = execFileSync('git', ['archive', commit, 'tsconfig.base.json', 'protocol', 'shared', 'controller'], {
  cwd: ROOT,
  maxBuffer: 2 ** 26,
});
execFileSync('tar', ['--extract', '--directory', folder], { input: archive });

/** A file of the last release, which has at least what is used of it here. */
const lastRelease = async <T>(file: string): Promise<T> => (await import(join(folder, file))) as T;

const last = {
  bundle: await lastRelease<typeof bundle>('protocol/bundle.ts'),
  codec: await lastRelease<Pick<typeof codec, 'encode' | 'decode'>>('protocol/codec.ts'),
  head: await lastRelease<typeof head>('protocol/head.ts'),
  headResult: await lastRelease<typeof headResult>('protocol/head-result.ts'),
  loadCommand: await lastRelease<typeof loadCommand>('protocol/load-command.ts'),
  messages: await lastRelease<typeof messages>('protocol/messages.ts'),
  packages: await lastRelease<typeof packages>('protocol/packages.ts'),
  command: await lastRelease<{ commandSchema: typeof commandSchema }>('controller/src/api/command.ts'),
  report: await lastRelease<{ reportSchema: typeof reportSchema }>('controller/src/api/report.ts'),
};

const demo = bundleOf('demo', 'exports.add = (x, y) => x + y;');
const pushed = headOf('demo', demo.revision, 7);
const committed = { module: 'demo', sequence: 7, verdict: 'committed', loaded: 3, refused: 0, silent: 0 } as const;
const set = { roots: {}, instances: [] };

/** What the last release makes of it: it knows no newer fields. */
const pushedBefore = last.codec.decode(last.head.headSchema, codec.encodeRecord(pushed));

describe('what the last release has stored', () => {
  it('is read', () => {
    expect(bundle.decodeBundle(last.bundle.encodeBundle(demo))).toEqual(demo);
    expect(codec.decodeRecord(head.headSchema, last.codec.encode(pushedBefore))).toEqual(pushed);
    expect(codec.decodeRecord(headResult.headResultSchema, last.codec.encode(committed))).toEqual(committed);
    const stored = last.packages.encodePackageSet(set);
    expect(packages.decodePackageSet(stored, last.packages.packageSetHashOf(stored))).toEqual(set);
  });
});

describe('what this release stores', () => {
  it('is read by the last one', () => {
    expect(demo).toMatchObject(last.bundle.decodeBundle(bundle.encodeBundle(demo)));
    expect(pushed).toMatchObject(pushedBefore);
    expect(pushedBefore).toMatchObject({ module: 'demo', revision: demo.revision, sequence: 7 });
    expect(last.codec.decode(last.headResult.headResultSchema, codec.encodeRecord(committed))).toEqual(committed);
    const stored = packages.encodePackageSet(set);
    expect(last.packages.decodePackageSet(stored, packages.packageSetHashOf(stored))).toEqual(set);
  });
});

describe('what processes say to each other', () => {
  const { protocol: _, ...description } = descriptionOf('fred');
  const digest = { heads: { demo: 7 }, revertible: [] };

  it('is understood when the last release says it, and who says it is known', () => {
    const heard = codec.decode(messages.nodeDescription, last.codec.encode(description));
    expect(heard).toEqual({ ...description, protocol: UNVERSIONED });
    expect(codec.decode(messages.digestRequest, last.codec.encode(digest))).toEqual(digest);
    const load = { processId: 'p', id: '1', packed: Buffer.from('packed') };
    expect(loadCommand.decodeLoadCommand(last.loadCommand.encodeLoadCommand(load))).toEqual(load);
  });

  it('is understood by the last release', () => {
    const said = codec.encode({ ...description, protocol: PROTOCOL, unreadable: { demo: 'it has format 3' } });
    expect(description).toMatchObject(last.codec.decode(last.messages.nodeDescription, said));
    const asked = codec.encode({ ...digest, protocol: PROTOCOL });
    expect(last.codec.decode(last.messages.digestRequest, asked)).toEqual(digest);
    const load = { processId: 'p', id: '1', packed: Buffer.from('packed') };
    expect(last.loadCommand.decodeLoadCommand(loadCommand.encodeLoadCommand(load))).toEqual(load);
  });

  it('is understood on the control connection, in both directions', () => {
    const ping = { type: 'ping', node: null, cookie: null, timeoutMs: 1_000 };
    const warning = { type: 'warning', message: 'look' };
    const line = (message: object): Uint8Array => Buffer.from(lineOf(message));
    expect(last.codec.decode(last.command.commandSchema, line(ping))).toEqual(ping);
    expect(last.codec.decode(last.report.reportSchema, line(warning))).toEqual(warning);
    expect(codec.decode(commandSchema, last.codec.encode(ping))).toEqual(ping);
    expect(codec.decode(reportSchema, last.codec.encode(warning))).toEqual(warning);
  });
});
