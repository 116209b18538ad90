import { scriptName, type Version } from '../modules/version.ts';

/** The headers of every response, which no module can set. */
const NODE = 'hotcast-node';
const REVISION = 'hotcast-revision';

const known = new WeakMap<Version, { readonly node: string; readonly list: readonly string[] }>();

/** The headers of every response, names and values in turns: the node, and the module with its revision. */
export function headersOf(node: string, version: Version | null): readonly string[] {
  if (version === null) return [NODE, node];
  const last = known.get(version);
  if (last?.node === node) return last.list;
  const list = [NODE, node, REVISION, scriptName(version)];
  known.set(version, { node, list });
  return list;
}

/** @param name in lower case. */
export function isOfNode(name: string): boolean {
  return name === NODE || name === REVISION;
}

/** The same as an object. */
export function responseHeaders(node: string, version: Version | null): Record<string, string> {
  return { [NODE]: node, ...(version === null ? {} : { [REVISION]: scriptName(version) }) };
}
