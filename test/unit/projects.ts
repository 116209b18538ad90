import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll } from 'vitest';

/** Returns a function that writes a project's files and returns its modules folder. All are removed after the file's tests. */
export function projects(): (files: Readonly<Record<string, string>>) => string {
  const root = mkdtempSync(join(tmpdir(), 'hotcast-projects-'));
  afterAll(() => rmSync(root, { recursive: true }));
  return files => {
    const folder = mkdtempSync(join(root, 'project-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return join(folder, 'modules');
  };
}
