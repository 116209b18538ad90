import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { unpackMap } from '../../protocol/bundle.ts';

/** The scripts of modules, as nodes name them: `demo@3f2a9c81b0d4`. */
const MODULE_SCRIPT = /^[a-z][a-z0-9-]*@[0-9a-f]{12}$/;

/** The inspector's event for a script, as V8 writes it. */
const SCRIPT_PARSED = '{"method":"Debugger.scriptParsed"';

/** The folder of the modules in the paths of a source map. */
const MODULES = 'modules/';

interface ScriptParsed {
  readonly params: { readonly url: string; readonly sourceMapURL?: string };
}

interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** The URL of the script that a message of the inspector announces; null for any other message. */
export function announcedScript(message: string): string | null {
  return message.startsWith(SCRIPT_PARSED) ? (JSON.parse(message) as ScriptParsed).params.url : null;
}

/** Whether a script is that of a module. */
export function isModuleScript(url: string): boolean {
  return MODULE_SCRIPT.test(url);
}

/** An inspector's message about a script, with the URL of its source map. */
export function withSourceMapUrl(message: string, sourceMapURL: string): string {
  const event = JSON.parse(message) as ScriptParsed;
  return JSON.stringify({ ...event, params: { ...event.params, sourceMapURL } });
}

/** The source map of a module, packed and in base64 as a node gives it, as a URL. Its sources are files of this host. */
export function moduleMapUrl(packed: string, modulesDir: string): string {
  const map = JSON.parse(unpackMap(Buffer.from(packed, 'base64'))) as SourceMap;
  const sources = map.sources.map(source =>
    source.startsWith(MODULES) ? fileUrl(join(modulesDir, source.slice(MODULES.length))) : source,
  );
  // Debuggers count the lines of a map from the first line of a script, which the node adds (see moduleScript).
  return dataUrl({ ...map, sources, mappings: `;${map.mappings}` });
}

/** The source map of a program of Hotcast as a URL. Its paths begin one folder below the root of the repository. */
export function programMapUrl(json: string, root: string): string {
  const map = JSON.parse(json) as SourceMap;
  return dataUrl({ ...map, sources: map.sources.map(source => fileUrl(resolve(root, 'out', source))) });
}

function fileUrl(path: string): string {
  return pathToFileURL(path).href;
}

function dataUrl(map: SourceMap): string {
  return `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
}
