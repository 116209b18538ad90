import { scriptName, type Version } from '../modules/version.ts';

/** The headers of every response: the node, and the module with its revision. */
export function responseHeaders(node: string, version: Version | null): Record<string, string> {
  return { 'hotcast-node': node, ...(version === null ? {} : { 'hotcast-revision': scriptName(version) }) };
}
