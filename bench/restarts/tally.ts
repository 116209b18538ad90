import * as v from 'valibot';

/** The answer of the function that all contenders serve: it counts its calls in memory. `node` is its host name. */
const TALLY = v.object({ version: v.number(), node: v.string(), count: v.number() });

export type Tally = v.InferOutput<typeof TALLY>;

/** Reads an answer; null when it is not the function's. */
export function readTally(text: string): Tally | null {
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), TALLY), text);
  return read.success ? read.output : null;
}

/** A version of the function as a file of an ordinary server, `tally.mjs`. Calls go to `/tally/`. */
export function plainSource(version: number, data = '{ count: 0 }'): string {
  return `import { hostname } from 'node:os';
const data = ${data};
export const state = () => ({ version: ${version}, node: hostname(), count: data.count });
export function answer() {
  data.count += 1;
  return state();
}
`;
}

/** The same as a module of Hotcast, `tally`. */
export function hotcastSource(version: number): string {
  return `${plainSource(version, 'import.meta.hot.dataOf({ count: 0 })')}
export default { fetch: () => Response.json(answer()) };
`;
}
