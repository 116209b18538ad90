import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { LinkedHosts } from '../support/machines/linked-hosts.ts';
import { Machines } from '../support/swarm/machines.ts';

const HUB = 1;
const OTHER = 2;
const OFFSET = 100;
const NODES = ['fred', 'bambam', 'node-101', 'node-102'];
/** How long containers have to be there again (milliseconds). */
const DEADLINE_MS = 60_000;

let machines: Machines;
let hosts: LinkedHosts;
/** The containers of the nodes when there was one machine. */
let before: readonly string[] = [];

const moduleThatSays = (text: string): string => `export const says = (): string => ${JSON.stringify(text)};\n`;

/** Waits until so many nodes are there, and all run what they should. */
async function settled(nodes: number): Promise<void> {
  for (const command of [
    ['nodes', '--wait', String(nodes), '--timeout', '30'],
    ['status', '--wait', '30'],
  ]) {
    const isSettled = async () => {
      const { exitCode, stdout, stderr } = await hosts.hotcast(...command);
      expect({ exitCode, output: stdout + stderr }).toMatchObject({ exitCode: 0 });
    };
    await vi.waitFor(isSettled, { timeout: 240_000, interval: 500 });
  }
}

/** What each node says, by its name. */
async function said(): Promise<Record<string, unknown>> {
  const { result } = await hosts.call('greeting.says()');
  return Object.fromEntries(
    result.nodes.map(row => [row.node, row.status === 'value' ? JSON.parse(row.json ?? '') : row.status]),
  );
}

const networkOf = (address: string): string => address.split('.').slice(0, 2).join('.');

const allSay = (text: string, nodes: readonly string[] = NODES) => Object.fromEntries(nodes.map(node => [node, text]));

beforeAll(async () => {
  machines = await Machines.start(2, { swarm: false });
  hosts = await LinkedHosts.prepare(machines);
  await hosts.upAlone(2);
  await settled(2);
  hosts.writeModule('greeting', moduleThatSays('one host'));
  expect((await hosts.push('greeting')).exitCode).toBe(0);
  before = (await hosts.nodes()).map(({ container }) => container);
  await hosts.upHub(2);
  await hosts.upMachine(OTHER, 2, OFFSET);
  await settled(NODES.length);
}, 600_000);

afterAll(async () => {
  await machines?.[Symbol.asyncDispose]();
}, 120_000);

describe('plain Compose on two machines', () => {
  it('has nodes with addresses of the same network and different names, and hotcast nodes says where they are', async () => {
    const [here, there] = await Promise.all([hosts.addresses(HUB), hosts.addresses(OTHER)]);
    expect(new Set([...here, ...there].map(networkOf)).size).toBe(1);
    const listed = (await hosts.nodes()).map(({ node, machine }) => [node, machine]);
    expect(listed).toEqual([
      ['fred', 'hub'],
      ['bambam', 'hub'],
      ['node-101', 'machine-2'],
      ['node-102', 'machine-2'],
    ]);
  });

  it('has what was pushed when there was one, and the nodes of it run on', async () => {
    expect(await said()).toEqual(allSay('one host'));
    expect((await hosts.nodes()).filter(({ machine }) => machine === 'hub').map(({ container }) => container)).toEqual(
      before,
    );
  });

  it('gets every push on all nodes', async () => {
    for (const text of ['one', 'two']) {
      hosts.writeModule('greeting', moduleThatSays(text));
      const { result, stderr } = await hosts.push('greeting');
      expect(result.nodes.map(({ node, status }) => [node, status])).toEqual(NODES.map(node => [node, 'loaded']));
      expect(stderr).not.toContain('warning');
      expect(await said()).toEqual(allSay(text));
    }
  });

  it('has a node more where it is started', async () => {
    await hosts.upMachine(OTHER, 3, OFFSET);
    await settled(5);
    expect(await said()).toEqual(allSay('two', [...NODES, 'node-103']));
    await hosts.upMachine(OTHER, 2, OFFSET);
    await settled(4);
  });
});

describe('a push names', () => {
  it('a machine whose agent is away, and reaches its nodes all the same', async () => {
    await hosts.service(OTHER, 'stop', 'roster');
    hosts.writeModule('greeting', moduleThatSays('without an agent'));
    const { result, stderr } = await hosts.push('greeting');
    expect(stderr).toContain('no answer from machine-2: what runs there is not known');
    expect(result.nodes.map(({ node, status }) => [node, status])).toEqual(NODES.map(node => [node, 'loaded']));
    expect((await hosts.hotcast('doctor')).stdout).toContain('no answer from machine-2');
    const status = await hosts.hotcast('status');
    expect(status).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('no answer from machine-2') });
    await hosts.service(OTHER, 'start', 'roster');
    await expect
      .poll(async () => (await hosts.hotcast('nodes')).stderr, { timeout: DEADLINE_MS, interval: 500 })
      .not.toContain('no answer');
  });

  it('the containers of another machine that have names of the hub, and these are not admitted', async () => {
    await hosts.upMachine(OTHER, 2, 0);
    const twice = /fred runs twice: [0-9a-f]{12} on machine-2 is not the member/;
    await expect
      .poll(async () => (await hosts.hotcast('nodes')).stderr, { timeout: DEADLINE_MS, interval: 500 })
      .toMatch(twice);
    hosts.writeModule('greeting', moduleThatSays('twice'));
    const { result, stderr } = await hosts.push('greeting');
    expect(stderr).toMatch(twice);
    expect(result.nodes.map(({ node, status }) => [node, status])).toEqual([
      ['fred', 'loaded'],
      ['bambam', 'loaded'],
    ]);
    await expect
      .poll(() => hosts.logs(HUB, 'auth-callout'), { timeout: DEADLINE_MS, interval: 500 })
      .toMatch(
        /another container is fred(?:.|\n)*another container is bambam|bambam(?:.|\n)*another container is fred/,
      );
    await hosts.upMachine(OTHER, 2, OFFSET);
    await settled(4);
    expect(await said()).toEqual(allSay('twice'));
  });

  it('a machine that is lost, with its nodes; they have what was pushed when they are back', async () => {
    await machines.lose(OTHER);
    hosts.writeModule('greeting', moduleThatSays('lost'));
    const { result, stderr, exitCode } = await hosts.push('greeting');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('no answer from machine-2');
    expect(result.nodes.map(({ node, status }) => [node, status])).toEqual([
      ['fred', 'loaded'],
      ['bambam', 'loaded'],
      ['node-101', 'silent'],
      ['node-102', 'silent'],
    ]);
    const status = await hosts.hotcast('status');
    expect(status.stderr).toContain('no answer from machine-2');
    expect(status.stdout).toMatch(/silent: node-101 node-102|node-101.*silent/);
    expect(status.exitCode).not.toBe(0);
    await machines.back(OTHER);
    await settled(4);
    expect(await said()).toEqual(allSay('lost'));
  });

  it('a machine that is cut off, at each push; its nodes catch up when the network is back', async () => {
    await machines.cut(OTHER);
    for (const text of ['cut', 'still cut']) {
      hosts.writeModule('greeting', moduleThatSays(text));
      const { stderr, exitCode } = await hosts.push('greeting');
      expect({ exitCode, stderr }).toEqual({
        exitCode: 3,
        stderr: expect.stringContaining('no answer from machine-2: what runs there is not known'),
      });
    }
    await machines.join(OTHER);
    await settled(4);
    expect(await said()).toEqual(allSay('still cut'));
  });

  it('nothing when the hub starts anew', async () => {
    await hosts.service(HUB, 'stop', 'nats');
    await hosts.service(HUB, 'start', 'nats');
    await expect
      .poll(async () => (await hosts.hotcast('nodes')).exitCode, { timeout: DEADLINE_MS, interval: 500 })
      .toBe(0);
    await settled(4);
    hosts.writeModule('greeting', moduleThatSays('again'));
    const { result, stderr } = await hosts.push('greeting');
    expect(stderr).not.toContain('warning');
    expect(result.nodes.map(({ node, status }) => [node, status])).toEqual(NODES.map(node => [node, 'loaded']));
  });
});
