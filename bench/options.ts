import { resolve } from 'node:path';

/** What can be measured, in this order. */
export const PARTS = [
  'http',
  'calls',
  'cost',
  'push',
  'joining',
  'edit',
  'tail',
  'console',
  'restarts',
  'scale',
] as const;

/** What is measured only when it is named. */
const NAMED = ['idle'] as const;

export type Part = (typeof PARTS)[number] | (typeof NAMED)[number];

export type Options = ReturnType<typeof loadOptions>;

/**
 * Reads `NODES` (default: 30), `ROUNDS` (default: 20), `ONLY` (parts, separated by commas; default: all), `IDLE_MINUTES` (default: 60),
 * `AGAINST` (a folder with another Hotcast), `HOTCAST_PROJECT` (default: `hotcast`), and the base images as docker-compose.yml does.
 *
 * @throws RangeError with a line for each variable that is wrong.
 */
export function loadOptions(env: Readonly<Record<string, string | undefined>>) {
  const { NODES, ROUNDS, ONLY, IDLE_MINUTES, AGAINST, HOTCAST_PROJECT, NODE_BASE, NATS_IMAGE } = env;
  const [nodes, rounds, idleMinutes] = [Number(NODES || 30), Number(ROUNDS || 20), Number(IDLE_MINUTES || 60)];
  const known = [...PARTS, ...NAMED];
  const asked = (ONLY || PARTS.join(',')).split(',');
  const unknown = asked.filter(word => !(known as readonly string[]).includes(word));
  const wrong: string[] = [];
  if (!(Number.isInteger(nodes) && nodes >= 2 && nodes <= 250)) wrong.push('NODES must be a number from 2 to 250');
  if (!(Number.isInteger(rounds) && rounds >= 1)) wrong.push('ROUNDS must be a number from 1');
  if (!(idleMinutes >= 0)) wrong.push('IDLE_MINUTES must be a number from 0');
  if (unknown.length > 0) wrong.push(`ONLY knows ${known.join(', ')}; not ${unknown.join(', ')}`);
  if (wrong.length > 0) throw new RangeError(wrong.join('\n'));
  return {
    nodes,
    rounds,
    idleMinutes,
    parts: known.filter(part => asked.includes(part)),
    against: AGAINST ? resolve(AGAINST) : null,
    project: `${HOTCAST_PROJECT || 'hotcast'}-bench`,
    images: { node: NODE_BASE || 'node:26-slim', nats: NATS_IMAGE || 'nats:2.15-alpine' },
  };
}
