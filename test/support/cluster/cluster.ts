import { join } from 'node:path';

import type { NodeConnectionOptions } from '@nats-io/transport-node';
import { Wait } from 'testcontainers';

import type { PushResult } from '../../../controller/src/api/results.ts';
import type { Output } from '../../../controller/src/api/output.ts';
import { makeCertificate } from '../../../controller/src/services/keygen/certificate.ts';
import { ModulesFolder, type ModulesSource } from '../../../packages/testing/src/fleet/modules-folder.ts';
import { RunningCluster, type RunningClusterOptions } from '../../../packages/testing/src/fleet/running-cluster.ts';
import { readOutput } from '../commands/output-schema.ts';
import { type ProcessOutput, ROOT } from '../shell.ts';
import { projectImage } from './project-image.ts';

/** The options of a connection to NATS. */
export type NatsOptions = Pick<NodeConnectionOptions, 'servers' | 'authenticator' | 'tls'>;

export interface ClusterOptions extends Omit<RunningClusterOptions, 'images' | 'modules'> {
  /** All connections to NATS use TLS. */
  readonly tls?: boolean;
  /** NATS knows a second cookie from the start. */
  readonly secondCookie?: boolean;
  /** The folder whose modules and npm packages the cluster has: the examples of the repository, if it is left out. */
  readonly modules?: string;
}

/** A second controller of the same cluster. */
export interface SecondController extends AsyncDisposable {
  readonly writeModule: (name: string, source: string) => void;
  readonly push: (module: string, ...options: string[]) => Promise<PushResult>;
}

/** The packages of the examples are in the image. */
const EXAMPLES: ModulesSource = { folder: join(ROOT, 'modules'), project: null, packages: null };

/** A cluster of this repository's images, and what its tests do to it. */
export class Cluster extends RunningCluster {
  private constructor({ modules, ...options }: ClusterOptions) {
    const source =
      modules === undefined ? EXAMPLES : { folder: modules, project: null, packages: join(modules, 'node_modules') };
    super({ ...options, images: projectImage, modules: source });
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    const { tls = false, secondCookie = false } = options;
    if (tls) cluster.keys.useTls(await makeCertificate([`${cluster.id}-nats`, 'localhost']));
    cluster.keys.make(cluster.cookie);
    if (secondCookie) cluster.keys.make(cluster.secondCookie);
    await cluster.start();
    return cluster;
  }

  /** Pushes skip the type check: the modules of tests have no types. */
  override async hotcast(...args: readonly string[]): Promise<ProcessOutput> {
    const isTypeChecked = args[0] === 'push' || args[0] === 'compile';
    return super.hotcast(...args, ...(isTypeChecked ? ['--no-check'] : []));
  }

  /** @throws TypeError when the output does not match its schema. */
  protected override read(line: string): Output {
    return readOutput(line);
  }

  /** The cookie of another cluster on the same NATS. */
  get secondCookie(): string {
    return `${this.cookie}-2`;
  }

  /** Starts a controller that has another cookie. Returns a function that runs `hotcast …` in its container. */
  async addController(cookie: string): Promise<(...args: readonly string[]) => Promise<ProcessOutput>> {
    await this.makeKeys(cookie);
    const name = `controller-${cookie}`;
    const container = await this.containers.start(name, this.controllerSpec(name, cookie));
    return (...args: readonly string[]) => container.exec(['hotcast', ...args]);
  }

  /** Starts a second controller of this cluster, with its own modules folder. Disposing of it kills it. */
  async addSecondController(): Promise<SecondController> {
    const modules = new ModulesFolder(join(this.folder, 'modules-of-second-controller'), EXAMPLES);
    const spec = this.controllerSpec('second-controller', this.cookie, modules);
    const container = await this.containers.start('second-controller', spec);
    return {
      writeModule: (name, source) => modules.writeFile(`${name}.ts`, source),
      push: async (module, ...options) => {
        const { stdout } = await container.exec(['hotcast', 'push', module, '--no-check', ...options, '--json']);
        return JSON.parse(stdout) as PushResult;
      },
      [Symbol.asyncDispose]: () => this.kill('second-controller'),
    };
  }

  /** Starts one more node of any service: `worker-1`. Resolves when it logs this text. */
  async addReplica(name: string, environment: Readonly<Record<string, string>>, logs = '"msg":"ready"'): Promise<void> {
    const spec = this.specs.node(name, this.cookie, environment).withWaitStrategy(Wait.forLogMessage(logs));
    await this.containers.start(name, spec);
  }

  /** The options of a connection from this machine to the cluster's NATS, with all permissions. */
  async natsOptions(): Promise<NatsOptions> {
    const servers = `nats://localhost:${await this.containers.publishedPort('nats', 4222)}`;
    const { authority: ca, tester: authenticator } = this.keys;
    return { servers, authenticator, ...(ca === null ? {} : { tls: { ca } }) };
  }
}
