import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';

import type { Output } from '../../../controller/src/api/output.ts';
import { ROOT } from '../shell.ts';

const schema = JSON.parse(readFileSync(join(ROOT, 'types/output.schema.json'), 'utf8')) as object;
const matches = new Ajv2020({ strictTypes: false }).compile<Output>(schema);

/** Reads a line that `hotcast … --json` has printed. @throws TypeError when it does not match types/output.schema.json. */
export function readOutput(line: string): Output {
  const value: unknown = JSON.parse(line);
  if (matches(value)) return value;
  throw new TypeError(`the output does not match its schema: ${line.slice(0, 300)}`);
}
