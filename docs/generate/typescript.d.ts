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
export declare function typeOf(schema: Schema): string;
/** Exported types, each with its description. */
export declare function declarationsOf(schemas: Readonly<Record<string, Schema>>): string;
