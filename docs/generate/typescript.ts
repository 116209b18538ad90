/** The part of JSON Schema that the schemas of valibot become. */
export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

/** The type of TypeScript that a schema describes. @throws Error when the schema says something that this does not know. */
export function typeOf(schema: Schema): string {
  const { $ref, enum: values, anyOf, oneOf = anyOf, items, properties, required = [], additionalProperties } = schema;
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf('/') + 1);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (values !== undefined) return values.map(value => JSON.stringify(value)).join(' | ');
  if (oneOf !== undefined) return oneOf.map(option => `(${typeOf(option)})`).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
      return 'number';
    case 'array':
      return `readonly (${items === undefined ? 'unknown' : typeOf(items)})[]`;
    case 'object': {
      if (typeof additionalProperties === 'object') return `Readonly<Record<string, ${typeOf(additionalProperties)}>>`;
      const fields = Object.entries(properties ?? {}).map(
        ([name, field]) => `readonly ${name}${required.includes(name) ? '' : '?'}: ${typeOf(field)};`,
      );
      return `{ ${fields.join(' ')} }`;
    }
    case undefined:
    default:
      throw new Error(`no type is known for ${JSON.stringify(schema).slice(0, 300)}`);
  }
}

/** Exported types, each with its description. */
export function declarationsOf(schemas: Readonly<Record<string, Schema>>): string {
  return Object.entries(schemas)
    .map(([name, schema]) => {
      const comment = schema.description === undefined ? '' : `/** ${schema.description} */\n`;
      return `${comment}export type ${name} = ${typeOf(schema)};`;
    })
    .join('\n\n');
}
