import { scriptName, type Version } from '../modules/version.ts';

/** The headers of every response: which node gave it, and which revision of which module. */
export function responseHeaders(node: string, version: Version | null): Record<string, string> {
  return { 'hotcast-node': node, ...(version === null ? {} : { 'hotcast-revision': scriptName(version) }) };
}
