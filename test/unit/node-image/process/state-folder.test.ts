import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { containerIdIn, openStateFolder } from '../../../../node-image/src/process/state-folder.ts';
import { recordingLog } from '../../fixtures.ts';

const ID = 'ab'.repeat(32);

const mountsOf = (id: string, between = ''): string =>
  [
    `612 600 0:53 / / ro - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/${'c'.repeat(64)}/diff`,
    `613 612 8:1 /docker/volumes/${'d'.repeat(64)}/_data /data rw - ext4 /dev/sda rw`,
    `614 612 8:1 /docker/containers/${id}${between}/hostname /etc/hostname ro - ext4 /dev/sda rw`,
  ].join('\n');

describe('the id of a container', () => {
  it('is that of the folder of which the engine mounts files', () => {
    expect(containerIdIn(mountsOf(ID))).toBe(ID);
    expect(containerIdIn(mountsOf(ID, '/userdata'))).toBe(ID);
  });

  it('is not known elsewhere', () => {
    expect(containerIdIn('24 1 8:1 / / rw - ext4 /dev/sda rw')).toBeNull();
    expect(containerIdIn('')).toBeNull();
  });
});

describe('the state folder', () => {
  let shared: string;
  beforeEach(() => (shared = mkdtempSync(join(tmpdir(), 'hotcast-state-'))));
  afterEach(() => rmSync(shared, { recursive: true }));

  const open = (id: string | null = ID) => openStateFolder(shared, recordingLog(), id);

  it('of each container is its own, in a shared one', async () => {
    const [one, two] = [await open(), await open('cd'.repeat(32))];
    expect(one.path).toBe(join(shared, ID));
    expect(two.path).not.toBe(one.path);
    expect((await open()).path).toBe(one.path);
  });

  it('is the shared one outside of a container', async () => {
    expect((await open(null)).path).toBe(shared);
  });

  it('of a place in a service keeps what the container before has to remember', async () => {
    const before = await open(null);
    mkdirSync(join(before.path, 'packages'));
    writeFileSync(join(before.path, 'bans.json'), '{}');
    await before.leave();
    expect(readdirSync((await open(null)).path)).toEqual(['bans.json']);
  });

  it('is gone after a stop, with the packages', async () => {
    const { path, leave } = await open();
    mkdirSync(join(path, 'packages/instances'), { recursive: true });
    await leave();
    expect(readdirSync(shared)).toEqual([]);
  });

  it('keeps after a stop what the node has to remember', async () => {
    const { path, leave } = await open();
    mkdirSync(join(path, 'packages'));
    writeFileSync(join(path, 'bans.json'), '{}');
    await leave();
    expect(readdirSync(path)).toEqual(['bans.json']);
  });

  it('keeps everything after a crash, but for what was about to be removed', async () => {
    const { path } = await open();
    mkdirSync(join(path, 'packages'));
    mkdirSync(join(path, 'removed/half'), { recursive: true });
    await open();
    expect(existsSync(join(path, 'packages'))).toBe(true);
    expect(existsSync(join(path, 'removed'))).toBe(false);
  });

  it('that can not be made is logged, and stops nothing', async () => {
    const log = recordingLog();
    writeFileSync(join(shared, 'file'), '');
    const { leave } = await openStateFolder(join(shared, 'file'), log, ID);
    await leave();
    expect(log.logged.map(({ message }) => message)).toEqual(['nothing can be kept over a restart of this container']);
  });
});
