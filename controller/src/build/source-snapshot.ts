import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

/** A text for each path that differs when the file was written. */
export type SourceTimes = ReadonlyMap<string, string>;

/**
 * The files of a folder that can have types, without `node_modules`, as they are now. What can't be read is left out: the
 * compiler names it if a module needs it.
 */
export function sourceTimes(folder: string): SourceTimes {
  const times = new Map<string, string>();
  const visit = (current: string): void => {
    for (const entry of entriesOf(current)) {
      const path = join(current, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules') visit(path);
      if (!/\.([mc]?tsx?|json)$/.test(entry.name)) continue;
      const stat = statOf(path);
      if (stat?.isFile() === true) times.set(path, `${stat.mtimeMs} ${stat.ctimeMs} ${stat.size} ${stat.ino}`);
    }
  };
  visit(folder);
  return times;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/** The paths that differ between two snapshots. */
export interface SourceChanges {
  readonly changed: string[];
  readonly created: string[];
  readonly deleted: string[];
}

export function changesBetween(before: SourceTimes, now: SourceTimes): SourceChanges {
  return {
    changed: [...now].filter(([path, time]) => before.has(path) && before.get(path) !== time).map(([path]) => path),
    created: [...now.keys()].filter(path => !before.has(path)),
    deleted: [...before.keys()].filter(path => !now.has(path)),
  };
}
