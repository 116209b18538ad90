import { describe, expect, it } from 'vitest';

import type { Command } from '../../../../controller/src/api/command.ts';
import { checkVersions, VersionError, versionWarnings } from '../../../../controller/src/rollout/versions.ts';
import { NewerStreamError } from '../../../../controller/src/store/format-guard.ts';
import { PROTOCOL } from '../../../../protocol/version.ts';
import { descriptionOf } from '../../fixtures.ts';

const common = { author: 'wilma', cookie: null, timeoutMs: 1 };
const push = { ...common, type: 'push', modules: ['demo'], without: [] as string[] } as unknown as Command;
const dev = { ...common, type: 'dev', strict: false } as Command;
const remove = { ...common, type: 'remove', modules: ['demo'] } as unknown as Command;
const rotate = { ...common, type: 'keys rotate', overlap: 1 } as Command;
const status: Command = { type: 'status', cookie: null, timeoutMs: 1, waitMs: 0 };

/** The parts of a controller that know of other releases. */
function cluster(foreign: readonly { node: string; protocol: number }[], isNewer = false) {
  const store = {
    heads: async () => [],
    checkFormat: () => {
      if (isNewer) throw new NewerStreamError('the stream is of a later release');
    },
  };
  return { store, membership: { foreign: () => [...foreign] } } as unknown as Parameters<typeof checkVersions>[0];
}

describe('a command that changes something', () => {
  const apart = cluster([
    { node: 'betty', protocol: PROTOCOL + 3 },
    { node: 'fred', protocol: PROTOCOL + 2 },
  ]);

  it.each([push, dev])('is refused by name when it sends code to nodes of another release', async command => {
    const refused = expect(checkVersions(apart, command)).rejects;
    await refused.toThrow(VersionError);
    await refused.toThrow(`fred (protocol ${PROTOCOL + 2}), betty (protocol ${PROTOCOL + 3})`);
    await expect(checkVersions(cluster([]), command)).resolves.toBeUndefined();
  });

  it('goes past nodes that it leaves out', async () => {
    await expect(checkVersions(apart, { ...push, without: ['fred', 'betty'] } as Command)).resolves.toBeUndefined();
    await expect(checkVersions(apart, { ...push, without: ['fred'] } as Command)).rejects.toThrow('betty');
  });

  it.each([remove, rotate])('waits for no node when it sends no code', async command => {
    await expect(checkVersions(apart, command)).resolves.toBeUndefined();
  });

  it.each([push, remove, rotate])('is refused when a later release has written the stream', async command => {
    await expect(checkVersions(cluster([], true), command)).rejects.toThrow(NewerStreamError);
  });
});

it('a command that only looks is never refused', async () => {
  await expect(checkVersions(cluster([{ node: 'fred', protocol: 99 }], true), status)).resolves.toBeUndefined();
});

it('nodes of the release before and after are named, and those of this one not', () => {
  const at = (node: string, protocol: number) => ({ ...descriptionOf(node), protocol });
  expect(versionWarnings([at('betty', PROTOCOL - 1), at('fred', PROTOCOL - 1), at('wilma', PROTOCOL)])).toEqual([
    'still of the release before: fred, betty (replace them)',
  ]);
  expect(versionWarnings([at('fred', PROTOCOL + 1)])[0]).toContain('of a later release than the controller: fred');
  expect(versionWarnings([at('fred', PROTOCOL)])).toEqual([]);
});
