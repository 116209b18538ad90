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

/** As a service of Compose, in what can be a part of a node's name. */
const GROUP = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

export const MACHINE_RULE = 'up to 63 lower-case letters, digits and dashes, a letter or digit first';

export const GROUP_RULE = 'up to 50 lower-case letters, digits or single dashes, a letter first: the name of a service';

export const isModuleName = (text: string): boolean => MODULE.test(text);
export const isCookie = (text: string): boolean => COOKIE.test(text);
export const isGroupName = (text: string): boolean => text.length <= 50 && GROUP.test(text);
export const isNodeName = (text: string): boolean => NODE.test(text);
/** The name of a machine is one token of a NATS subject. */
export const isMachineName = (text: string): boolean => NODE.test(text);

const BEDROCK = [
  'fred bambam betty wilma barney pebbles dino hoppy gazoo slate',
  'arnold rocky perry joe sam gus roxy bronto rubble granite',
  'pearl tex cliff stony gravel agate flint basalt shale cobble',
].flatMap(line => line.split(' '));

/** The service whose nodes are called fred, bambam, … */
export const FIRST_SERVICE = 'node';

/**
 * The node name of a replica of a service.
 *
 * @param replica counts from 1, as Compose does: 1 is `fred`, 2 is `bambam`, …, 31 is `node-31`.
 * @param service its nodes are called after it, `worker-1`, unless it is the first one.
 */
export function replicaName(replica: number, service: string = FIRST_SERVICE): string {
  const name = service === FIRST_SERVICE ? BEDROCK[replica - 1] : undefined;
  return name ?? `${service}-${replica}`;
}

/** The number of a replica at the end of a container's name, and the id that Swarm adds to it. */
const REPLICA = /[-_.](?<replica>[1-9]\d{0,4})(?:\.[a-z0-9]{20,})?$/;

/**
 * The node name that follows from a container's name, `<project>-<service>-<replica>`: node, auth callout and roster all decide it
 * here. A container that Compose has not made so has its own name, made fit for a subject.
 *
 * @param containerName `hotcast-node-3`, or `stack_node.3.k2j…` in Swarm.
 * @param project the name of the Compose project; '' when it is not known: then every number is a replica of the first service.
 * @param offset is added to the number: several machines can each have a replica 1.
 */
export function nodeNameOf(containerName: string, project: string, offset = 0): string {
  const [ending = '', number] = REPLICA.exec(containerName) ?? [];
  if (number === undefined) return fitForSubject(containerName);
  const replica = Number(number) + offset;
  if (project === '') return replicaName(replica);
  const whole = containerName.slice(0, containerName.length - ending.length);
  if (!/^[-_.]./.test(whole.slice(project.length)) || !whole.startsWith(project)) return fitForSubject(containerName);
  return replicaName(replica, fitForSubject(whole.slice(project.length + 1)));
}

/** At most 50 characters: a number and the id of a container can follow. */
function fitForSubject(text: string): string {
  const fit = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, '');
  return fit === '' ? FIRST_SERVICE : fit;
}

/** The name of a node of a replica: its service, `-` and its number, and the id of its container if another one has that name. */
const NUMBERED = /^(?<service>.+?)-[1-9]\d{0,4}(?:-[0-9a-f]{6})?$/;

/**
 * The service of a node, which its name says: `node` for fred and `node-31`, `worker` for `worker-1`. NATS lets a node speak under the
 * name of its container only, so no node chooses its service. Any other name is that of a container of its own: it stands for itself.
 */
export function serviceOf(node: string): string {
  const first = REPLICAS.has(node) || (REPLICAS.has(node.slice(0, -7)) && /-[0-9a-f]{6}$/.test(node));
  return first ? FIRST_SERVICE : (NUMBERED.exec(node)?.groups?.['service'] ?? node);
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
