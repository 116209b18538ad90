/**
 * A module's name is its file's name: `modules/<module>.ts` or `modules/<module>/index.ts`. The two forbidden names are keys
 * that valibot drops from a record, so such a module would be missing from every digest.
 */
const MODULE = /^(?!(?:constructor|prototype)$)[a-z][a-z0-9-]{0,62}$/;

/** A cookie is one token of a NATS subject. */
const COOKIE = /^[A-Za-z0-9_-]{1,64}$/;

const NODE = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The rules of the names, for error messages. */
export const MODULE_RULE =
  'a lower-case letter, then up to 62 lower-case letters, digits or dashes (but not constructor or prototype)';
export const COOKIE_RULE = '1 to 64 letters, digits, dashes or underscores';

export const isModuleName = (text: string): boolean => MODULE.test(text);
export const isCookie = (text: string): boolean => COOKIE.test(text);
export const isNodeName = (text: string): boolean => NODE.test(text);

const BEDROCK = [
  'fred bambam betty wilma barney pebbles dino hoppy gazoo slate',
  'arnold rocky perry joe sam gus roxy bronto rubble granite',
  'pearl tex cliff stony gravel agate flint basalt shale cobble',
].flatMap(line => line.split(' '));

/**
 * The node name of a replica.
 *
 * @param replica counts from 1, as Compose does: 1 is `fred`, 2 is `bambam`, …, 31 is `node-31`.
 */
export function replicaName(replica: number): string {
  return BEDROCK[replica - 1] ?? `node-${replica}`;
}

/**
 * The node name that follows from a container's name: that of the replica when the name ends in its number
 * (`hotcast-node-3`, and `stack_node.3.k2j…` in Swarm), else the container's own name, made fit for a subject.
 */
export function nodeNameOf(containerName: string): string {
  const number = /[-_.](\d{1,6})(?:\.[a-z0-9]{20,})?$/.exec(containerName)?.[1];
  if (number !== undefined && Number(number) > 0) return replicaName(Number(number));
  const own = containerName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 50);
  return own === '' ? 'node' : own;
}

/** Compares node names in the order of the replicas: fred, bambam, betty, …, `node-31`, then any other name. */
export function compareNodes(a: string, b: string): number {
  return replicaOf(a) - replicaOf(b) || a.localeCompare(b, 'en', { numeric: true });
}

/** The replica of each name, from 1. */
const REPLICAS = new Map(BEDROCK.map((name, index) => [name, index + 1]));

/** No regular expression: sorting thousands of nodes calls this hundreds of thousands of times. */
function replicaOf(name: string): number {
  const number = name.startsWith('node-') ? Number(name.slice('node-'.length)) : NaN;
  return REPLICAS.get(name) ?? (Number.isInteger(number) ? number : Number.MAX_SAFE_INTEGER);
}

/** In stacks and logs, expressions of shells have the name of a module that there can't be. */
export const EXPRESSIONS = 'Shell';
