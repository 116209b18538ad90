import type Docker from 'dockerode';

import { type ContainerCost, containerCosts, imageBytes } from './containers.ts';
import { type Figures, figuresOf } from './figures.ts';
import type { WireCost } from './wire.ts';

/** How long idle nodes are looked at (seconds). */
const LOOK = 5;

/** What a fleet of nodes needs while nobody wants anything of it. */
export interface IdleCost {
  readonly contender: string;
  /** Of a node, over all nodes. As `docker stats` tells it (bytes). */
  readonly memory: Figures;
  /** Resident pages of a node's processes, with those of files that all nodes share (bytes). */
  readonly rss: Figures;
  /** Processor time of a node (seconds a second). */
  readonly cpu: Figures;
  /** The node's image, with its base (bytes). */
  readonly image: number;
  /** From no container until all nodes answered (milliseconds). */
  readonly start: number;
}

export interface Costs {
  readonly idle: readonly IdleCost[];
  /** For a push: a row each for a contender and a size. */
  readonly wire: readonly (WireCost & { readonly contender: string })[];
}

export interface Idle {
  readonly contender: string;
  readonly nodes: readonly string[];
  readonly image: string;
  readonly start: number;
}

export async function idleCost(docker: Docker, { contender, nodes, image, start }: Idle): Promise<IdleCost> {
  const all = await containerCosts(docker, nodes, LOOK);
  const figures = (of: (cost: ContainerCost) => number): Figures => figuresOf(all.map(of));
  return {
    contender,
    memory: figures(({ memory }) => memory),
    rss: figures(({ rss }) => rss),
    cpu: figures(({ cpu }) => cpu),
    image: await imageBytes(docker, image),
    start,
  };
}
