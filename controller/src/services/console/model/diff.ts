import { structuredPatch } from 'diff';
import * as v from 'valibot';

/** The changes of one source file. */
export interface FileDiff {
  readonly file: string;
  readonly lines: readonly DiffLine[];
  readonly added: number;
  readonly removed: number;
  /** Whether lines are left out. */
  readonly cut: boolean;
}

export interface DiffLine {
  readonly kind: 'added' | 'removed' | 'same' | 'gap';
  readonly text: string;
}

/** So many lines of a file are shown. */
const MAX_LINES = 400;

/** The unchanged lines around a change. */
const CONTEXT = 3;

/** A comparison that takes longer is given up (milliseconds). */
const TIMEOUT_MS = 500;

const sourceMap = v.object({
  sources: v.array(v.nullable(v.string())),
  sourcesContent: v.array(v.nullable(v.string())),
});

/** The sources of a bundle, by their paths, from the JSON text of its source map. */
export function sourcesIn(map: string): ReadonlyMap<string, string> {
  const parsed = v.safeParse(sourceMap, JSON.parse(map));
  if (!parsed.success) return new Map();
  const { sources, sourcesContent } = parsed.output;
  return new Map(
    sources.flatMap((path, index) => {
      const text = sourcesContent[index];
      return path === null || typeof text !== 'string' ? [] : [[path.replace(/^(?:\.\.?\/)+/, ''), text] as const];
    }),
  );
}

/** What differs between two sets of sources. A file that only one has is added or removed as a whole. */
export function diffOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): FileDiff[] {
  const files = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return files.flatMap(file => {
    const [from, to] = [before.get(file) ?? '', after.get(file) ?? ''];
    return from === to ? [] : [fileDiff(file, from, to)];
  });
}

function fileDiff(file: string, from: string, to: string): FileDiff {
  const patch = structuredPatch(file, file, from, to, '', '', { context: CONTEXT, timeout: TIMEOUT_MS });
  const lines = (patch?.hunks ?? []).flatMap((hunk, index): DiffLine[] => [
    ...(index === 0 && hunk.newStart <= 1 ? [] : [{ kind: 'gap' as const, text: `line ${hunk.newStart}` }]),
    ...hunk.lines.flatMap(lineOf),
  ]);
  const total = (kind: DiffLine['kind']): number => lines.filter(line => line.kind === kind).length;
  return {
    file,
    lines: lines.slice(0, MAX_LINES),
    added: total('added'),
    removed: total('removed'),
    cut: lines.length > MAX_LINES || patch === undefined,
  };
}

function lineOf(line: string): DiffLine[] {
  const text = line.slice(1);
  if (line.startsWith('+')) return [{ kind: 'added', text }];
  if (line.startsWith('-')) return [{ kind: 'removed', text }];
  return line.startsWith(' ') ? [{ kind: 'same', text }] : [];
}
