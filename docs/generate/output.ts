import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command as Program } from '@commander-js/extra-typings';
import { toJsonSchema } from '@valibot/to-json-schema';
import { format, resolveConfig } from 'prettier';
import type * as v from 'valibot';

import { outputSchema } from '../../controller/src/api/output.ts';
import { errorDescription } from '../../protocol/error-description.ts';
import { eventSchema } from '../../protocol/history/event.ts';
import { failedSchema, savedSchema } from '../../controller/src/api/report.ts';
import { resultSchema } from '../../controller/src/api/results.ts';
import { defineCli } from '../../controller/src/cli/commands.ts';
import { diagnosticSchema } from '../../controller/src/api/diagnostic.ts';
import { declarationsOf, type Schema } from './typescript.ts';

// Writes what `hotcast … --json` prints as a JSON Schema and as types of TypeScript, from the schemas that the controller checks
// it with. With `--check` it only compares, and fails when a file is stale.

const TYPES = join(import.meta.dirname, '../../types');
const ORIGIN = 'Written by `make docs` from controller/src/api/results.ts and report.ts.';

/** The checks of valibot that JSON Schema has no word for. They narrow nothing that a reader has to know. */
const CHECKS = ['check', 'readonly', 'finite'];

/** The commands that have this result. */
function commandsOf({ entries }: (typeof resultSchema.options)[number]): readonly string[] {
  return 'options' in entries.command ? entries.command.options : [entries.command.literal];
}

function nameOf(words: string): string {
  return words.replaceAll(/(?:^|[ -])([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function definitions(): { readonly name: string; readonly schema: v.GenericSchema; readonly description: string }[] {
  const program = new Program('hotcast');
  const unused = (): Promise<void> => Promise.resolve();
  defineCli(
    program,
    { author: '', change: '', version: '' },
    { send: unused, backup: unused, restore: unused, shell: unused, serve: unused, print: () => undefined },
  );
  const results = resultSchema.options.map(schema => {
    const commands = commandsOf(schema);
    const [first = ''] = commands;
    const name = commands.length === 1 ? `${nameOf(first)}Result` : 'HeadChangeResult';
    const what = program.commands.find(command => command.name() === first && commands.length === 1)?.description();
    const description = `The result of ${commands.join(', ')}${what === undefined ? '.' : `: ${what}.`}`;
    return { name, schema, description };
  });
  return [
    ...results,
    { name: 'Diagnostic', schema: diagnosticSchema, description: 'An error of the compiler or the type checker.' },
    { name: 'Failed', schema: failedSchema, description: 'A command that has no result, and why.' },
    {
      name: 'Event',
      schema: eventSchema,
      description: 'What was done to the cluster, or a node that has come or gone.',
    },
    { name: 'Saved', schema: savedSchema, description: 'What became of a save, while dev watches the modules folder.' },
  ];
}

/**
 * The schema of what is printed. A field with a default is always there. The schema of valibot nests errors eight times; here an
 * error refers to itself.
 */
function printed(schema: unknown): Schema {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) => {
    if (isError(value)) return { $ref: '#/$defs/ErrorDescription' };
    return isObjectSchema(value) ? { ...value, required: requiredOf(value) } : value;
  }) as Schema;
}

function requiredOf({ properties, required = [] }: ObjectSchema): string[] {
  return Object.keys(properties).filter(name => required.includes(name) || 'default' in (properties[name] ?? {}));
}

type ObjectSchema = Required<Pick<Schema, 'properties'>> & Schema;

function isObjectSchema(value: unknown): value is ObjectSchema {
  return typeof value === 'object' && value !== null && 'properties' in value && 'type' in value;
}

function isError(value: unknown): boolean {
  if (!isObjectSchema(value)) return false;
  const names = Object.keys(value.properties);
  return names.includes('stack') && names.every(name => ERROR_FIELDS.has(name));
}

const options = { typeMode: 'output', target: 'draft-2020-12', ignoreActions: CHECKS } as const;
const errorFields = toJsonSchema(errorDescription, options).properties ?? {};
const ERROR_FIELDS = new Set(Object.keys(errorFields));

const described = definitions();
const {
  $schema,
  $defs = {},
  ...output
} = toJsonSchema(outputSchema, {
  ...options,
  definitions: Object.fromEntries(described.map(({ name, schema }) => [name, schema])),
});
const defs: Readonly<Record<string, Schema>> = {
  ...Object.fromEntries(
    described.map(({ name, description }) => [name, { description, ...printed($defs[name] ?? {}) }]),
  ),
  ErrorDescription: {
    description: 'An error with its cause, and the parts of an AggregateError.',
    type: 'object',
    properties: printed(errorFields) as Readonly<Record<string, Schema>>,
    required: ['type', 'message'],
  },
};
const description = 'A line that `hotcast … --json` prints.';
const root: Schema = { description, ...(output as Schema) };
await write('output.schema.json', JSON.stringify({ $schema, $comment: ORIGIN, ...root, $defs: defs }));
await write(
  'output.d.ts',
  `// ${ORIGIN}\n/* oxlint-disable max-lines -- It is one union. */\n\n${declarationsOf({ Output: root, ...defs })}\n`,
);

async function write(name: string, text: string): Promise<void> {
  const file = join(TYPES, name);
  const wanted = await format(text, { ...(await resolveConfig(file)), filepath: file });
  if (!process.argv.includes('--check')) return writeFileSync(file, wanted);
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) return;
  process.stderr.write(`types/${name} is stale: run make docs\n`);
  process.exitCode = 1;
}
