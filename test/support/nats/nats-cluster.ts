import { freePort } from '../free-port.ts';
import { NatsServer } from '../console/nats-server.ts';

/** Three NATS servers with a common memory, on this machine. */
export class NatsCluster implements AsyncDisposable {
  readonly servers: readonly NatsServer[];

  private constructor(servers: readonly NatsServer[]) {
    this.servers = servers;
  }

  /** @param accounts the text of the accounts, as keygen writes it. */
  static async start(accounts: string): Promise<NatsCluster> {
    const ports = await Promise.all([1, 2, 3].map(freePort));
    const routes = ports.map(port => `nats://127.0.0.1:${port}`).join(', ');
    const servers = ports.map((port, index) =>
      NatsServer.start(accounts, [
        `server_name: nats-${index + 1}`,
        `cluster { name: hotcast, listen: "127.0.0.1:${port}", ping_interval: "2s", ping_max: 2, routes: [${routes}] }`,
      ]),
    );
    return new NatsCluster(await Promise.all(servers));
  }

  /** The addresses of all servers, as NATS_URL has them. */
  get url(): string {
    return this.servers.map(({ url }) => url).join(',');
  }

  /** The server that has a name. */
  server(name: string): NatsServer {
    const server = this.servers.find((_, index) => name === `nats-${index + 1}`);
    if (server === undefined) throw new Error(`no server is called ${name}`);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map(server => server[Symbol.asyncDispose]()));
  }
}
