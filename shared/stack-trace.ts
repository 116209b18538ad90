import { SourceMap } from 'node:module';

import { type Bundle, unpackMap } from '../protocol/bundle.ts';

/** Finds the bundle of a script by its name in stacks, `demo@3f2a9c81b0d4`. */
export type FindBundle = (script: string) => Pick<Bundle, 'map'> | null;

/** V8's hook for stacks before any module has run. Some packages replace it for a moment, to read a stack. */
const prepareStackTrace: unknown = Reflect.get(Error, 'prepareStackTrace');

/** Restores V8's own format of stacks. */
export function resetStackTraces(): void {
  // Each call comes here, and writing to `Error` takes longer than reading.
  if (Error.prepareStackTrace === prepareStackTrace) return;
  // Not an assignment, which throws after a module has frozen the property.
  Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
}

/** The script and the position of a module in a line of a stack. Its length is limited: a long line would take too long. */
const POSITION = /([a-z][a-z0-9-]{0,62}@[0-9a-f]{12}):(\d+):(\d+)/;

/** A line of a stack: a frame, or what `util.inspect` prints in place of the frames that a cause shares with its error. */
const FRAME = /^\s+(?:at |\.{3} \d+ lines matching cause stack trace \.{3}$)/;

/** The files of this program: its bundle in an image, the sources in a test. */
const OWN_FILES = new URL(import.meta.url.endsWith('/shared/stack-trace.ts') ? '..' : '.', import.meta.url).href;

/**
 * Maps a stack to the TypeScript sources. Each position in a bundle becomes the revision and a position in the source:
 * `demo@3f2a9c81b0d4 modules/demo.ts:4:9`. The frames below the last of a module, and those of this program, are left out.
 * A stack without a module is not changed. (`--enable-source-maps` does not map scripts of `vm`: nodejs/node#52102.)
 */
export function mapStack(stack: string, find: FindBundle): string {
  const lines = stack.split('\n');
  const last = lines.findLastIndex(line => POSITION.test(line));
  if (last === -1) return stack;
  return lines
    .slice(0, last + 1)
    .filter(line => !isOwn(line))
    .map(line => mapPosition(line, find))
    .join('\n');
}

/**
 * Maps each stack in a printed text, also those of errors inside of objects, as {@link mapStack} does. The text around the
 * stacks stays.
 */
export function mapText(text: string, find: FindBundle): string {
  if (!/^[ \t]+at /m.test(text)) return text;
  const mapped: string[] = [];
  let frames: string[] = [];
  const endStack = (): void => {
    mapped.push(...mapFrames(frames, find));
    frames = [];
  };
  for (const line of text.split('\n')) {
    if (FRAME.test(line)) frames.push(line);
    else {
      endStack();
      mapped.push(line);
    }
  }
  endStack();
  return mapped.join('\n');
}

/** What `util.inspect` adds to the last line of a stack: the bracket around it, a comma, the beginning of the properties. */
const AFTER_STACK = /(?<=\)|:\d+)(?:\]?,?| \{)$/;

function mapFrames(frames: readonly string[], find: FindBundle): string[] {
  const last = frames.findLastIndex(line => POSITION.test(line));
  const kept = (last === -1 ? frames : frames.slice(0, last + 1)).filter(line => !isOwn(line));
  const end = AFTER_STACK.exec(frames.at(-1) ?? '')?.[0] ?? '';
  return kept.map((line, index) => {
    const isCut = index === kept.length - 1 && line !== frames.at(-1);
    return mapPosition(line, find) + (isCut ? end : '');
  });
}

/** Whether a frame is in this program's own code. A module's frame is not, also when its name contains such a path. */
function isOwn(line: string): boolean {
  return FRAME.test(line) && line.includes(OWN_FILES) && !POSITION.test(line);
}

function mapPosition(line: string, find: FindBundle): string {
  return line.replace(POSITION, (position, script: string, row: string, column: string) => {
    const map = mapOf(find(script));
    if (map === null) return position;
    // Not findOrigin(): it adds the distance to the mapping's column, and can end up outside the line.
    const found = map.findEntry(Number(row) - 1, Number(column) - 1);
    if (!('originalSource' in found)) return position;
    return `${script} ${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  });
}

/** The script of the topmost frame of a module in an error's stack; null when there is none. Never throws. */
export function scriptIn(thrown: unknown): string | null {
  try {
    resetStackTraces();
    const stack = thrown instanceof Error ? thrown.stack : null;
    return typeof stack === 'string' ? (POSITION.exec(stack)?.[1] ?? null) : null;
  } catch {
    return null;
  }
}

/** Parsed maps, until the garbage collector needs their memory. */
const parsedMaps = new WeakMap<Uint8Array, WeakRef<SourceMap>>();

function mapOf(bundle: Pick<Bundle, 'map'> | null): SourceMap | null {
  if (bundle === null) return null;
  const { map } = bundle;
  const known = parsedMaps.get(map)?.deref();
  if (known !== undefined) return known;
  try {
    const parsed = new SourceMap(JSON.parse(unpackMap(map)) as ConstructorParameters<typeof SourceMap>[0]);
    parsedMaps.set(map, new WeakRef(parsed));
    return parsed;
  } catch {
    // Without a readable map, the stack stays as it is.
    return null;
  }
}
