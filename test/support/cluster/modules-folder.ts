import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { ROOT } from '../shell.ts';

const EXAMPLES = join(ROOT, 'modules');

/** A modules folder with the example modules of the repository. */
export class ModulesFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    mkdirSync(path);
    for (const file of readdirSync(EXAMPLES)) copyFileSync(join(EXAMPLES, file), join(path, file));
  }

  writeFile(path: string, text: string): void {
    const file = join(this.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
