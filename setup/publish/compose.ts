// Prints the compose file of the npm package: docker-compose.yml with published images instead of builds, and with nothing that
// lies beside it. So it can be included from any folder.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { publishedCompose } from './published-compose.ts';

const ROOT = join(import.meta.dirname, '../..');

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

process.stdout.write(publishedCompose(read));
