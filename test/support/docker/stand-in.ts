import { delimiter } from 'node:path';

/** The environment in which the `docker` command of a folder stands in for the engine: there is none on this machine beside it. */
export function standIn(folder: string): { readonly PATH: string; readonly DOCKER_HOST: string } {
  return { PATH: `${folder}${delimiter}${process.env['PATH']}`, DOCKER_HOST: 'unix:///nowhere/docker.sock' };
}
