/** The function that all contenders serve: it says its version and its node, and counts its calls in memory. */
export interface Tally {
  readonly version: number;
  /** The container's host name. */
  readonly node: string;
  /** How many calls this node knows of. */
  readonly count: number;
}

/** Reads what a call gave; null when it is not the function's answer. */
export function readTally(text: string): Tally | null {
  try {
    const { version, node, count } = JSON.parse(text) as Partial<Record<keyof Tally, unknown>>;
    const isTally = Number.isInteger(version) && typeof node === 'string' && Number.isInteger(count);
    return isTally ? ({ version, node, count } as Tally) : null;
  } catch {
    return null;
  }
}

/** The module's name: calls go to `/tally/`. */
export const MODULE = 'tally';

/** A version of the function as a module of Hotcast. */
export function hotcastSource(version: number): string {
  return `${body(version, 'import.meta.hot.dataOf({ count: 0 })')}
export default { fetch: () => Response.json(answer()) };
`;
}

/** The same as a file of an ordinary server. */
export function plainSource(version: number): string {
  return body(version, '{ count: 0 }');
}

function body(version: number, data: string): string {
  return `import { hostname } from 'node:os';
const version = ${version};
const node = hostname();
const data = ${data};
export const state = () => ({ version, node, count: data.count });
export function answer() {
  data.count += 1;
  return state();
}
`;
}
