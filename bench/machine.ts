import { arch, cpus, release, totalmem, type } from 'node:os';

import type Docker from 'dockerode';

import { run } from './command.ts';

/** What everything was measured on. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  /** Bytes. */
  readonly memory: number;
  readonly kernel: string;
  /** Of the engine, of what the containers run, and of what ran the benchmark. */
  readonly versions: Readonly<Record<'engine' | 'node' | 'nats' | 'host node', string>>;
}

export interface Images {
  /** The base of Hotcast's nodes. */
  readonly node: string;
  readonly nats: string;
}

export async function describeMachine(docker: Docker, images: Images): Promise<Machine> {
  const [engine, node, nats] = await Promise.all([
    docker.version(),
    run('docker', ['run', '--rm', images.node, 'node', '--version']),
    run('docker', ['run', '--rm', images.nats, 'nats-server', '--version']),
  ]);
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memory: totalmem(),
    kernel: `${type()} ${release()} ${arch()}`,
    versions: {
      engine: engine.Version,
      node: node.trim().replace(/^v/, ''),
      nats: nats.trim().replace(/^.* v?/, ''),
      'host node': process.versions.node,
    },
  };
}
