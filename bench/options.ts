/** What can be measured, in the order in which it is. */
export const PARTS = ['cost', 'push', 'edit', 'restarts', 'scale'] as const;

export type Part = (typeof PARTS)[number];

export interface Options {
  /** Containers in each fleet. */
  readonly nodes: number;
  /** Pushes of each contender and size that count. */
  readonly rounds: number;
  readonly parts: readonly Part[];
  /** The Compose projects of the benchmark begin with this. */
  readonly project: string;
  readonly images: { readonly node: string; readonly nats: string };
}

/**
 * Reads `NODES` (default: 30), `ROUNDS` (default: 20), `ONLY` (parts, with commas between; default: all), `HOTCAST_PROJECT` (default: `hotcast`),
 * and the base images as docker-compose.yml does.
 *
 * @throws RangeError with a line for each variable that is wrong.
 */
export function loadOptions(env: Readonly<Record<string, string | undefined>>): Options {
  const nodes = Number(env['NODES'] || 30);
  const rounds = Number(env['ROUNDS'] || 20);
  const asked = (env['ONLY'] ?? '').split(',').filter(word => word !== '');
  const unknown = asked.filter(word => !(PARTS as readonly string[]).includes(word));
  const wrong = [
    ...(Number.isInteger(nodes) && nodes >= 2 && nodes <= 250 ? [] : ['NODES must be a number from 2 to 250']),
    ...(Number.isInteger(rounds) && rounds >= 1 ? [] : ['ROUNDS must be a number from 1']),
    ...(unknown.length === 0 ? [] : [`ONLY knows ${PARTS.join(', ')}; not ${unknown.join(', ')}`]),
  ];
  if (wrong.length > 0) throw new RangeError(wrong.join('\n'));
  return {
    nodes,
    rounds,
    parts: asked.length === 0 ? PARTS : PARTS.filter(part => asked.includes(part)),
    project: `${env['HOTCAST_PROJECT'] || 'hotcast'}-bench`,
    images: { node: env['NODE_BASE'] || 'node:26-slim', nats: env['NATS_IMAGE'] || 'nats:2.15-alpine' },
  };
}
