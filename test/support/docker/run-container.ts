import type Dockerode from 'dockerode';

import { logLines } from '../../../packages/testing/src/docker/container-logs.ts';
import { engine, TEST_LABEL } from '../../../packages/testing/src/docker/engine.ts';

/** Runs a container until it ends. Returns its exit code and the lines that it wrote, and removes it. */
export async function runContainer(
  image: string,
  options: Pick<Dockerode.ContainerCreateOptions, 'Cmd' | 'Entrypoint' | 'Env' | 'HostConfig' | 'User'>,
): Promise<{ exitCode: number; lines: string[] }> {
  const docker = await engine();
  const labels = { [TEST_LABEL]: String(process.pid) };
  const container = await docker.createContainer({ ...options, Image: image, Labels: labels });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    const lines: string[] = [];
    const reading = { follow: false, signal: AbortSignal.timeout(30_000) };
    for await (const line of logLines(container, reading)) lines.push(line);
    return { exitCode: StatusCode, lines };
  } finally {
    await container.remove({ force: true, v: true });
  }
}
