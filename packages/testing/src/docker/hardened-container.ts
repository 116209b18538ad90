import { GenericContainer } from 'testcontainers';

import { TEST_LABEL } from './engine.ts';

/** A container with the same hardening as in docker-compose.yml: tests run what users run. */
export class HardenedContainer extends GenericContainer {
  constructor(image: string, name: string) {
    super(image);
    this.hostConfig = {
      ...this.hostConfig,
      Init: true,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: 256 * 2 ** 20,
      PidsLimit: 512,
      RestartPolicy: { Name: 'unless-stopped' },
    };
    this.withName(name).withLabels({ [TEST_LABEL]: String(process.pid) });
  }

  /** Sets the memory limit in bytes. */
  withMemory(bytes: number): this {
    this.hostConfig.Memory = bytes;
    return this;
  }

  /** Keeps a folder in its own volume, which lives as long as the container. */
  withAnonymousVolume(path: string): this {
    this.createOpts.Volumes = { ...this.createOpts.Volumes, [path]: {} };
    return this;
  }

  /** Joins a network, where it has a second DNS name that other containers have too. */
  withSharedName(network: string, name: string): this {
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network]: { Aliases: [name] } } };
    return this.withNetworkMode(network);
  }

  /** Publishes a port on 127.0.0.1, under a free port number. */
  withLoopbackPort(port: number): this {
    this.createOpts.ExposedPorts = { ...this.createOpts.ExposedPorts, [`${port}/tcp`]: {} };
    this.hostConfig.PortBindings = { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] };
    return this;
  }
}
