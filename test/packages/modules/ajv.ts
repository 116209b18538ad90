import { Ajv } from 'ajv';

const schema = { type: 'object', properties: { age: { type: 'integer', minimum: 0 } }, required: ['age'] };
const validate = new Ajv({ allErrors: true }).compile<{ age: number }>(schema);

export function check() {
  const results = [{ age: 36 }, { age: -1 }, {}].map(value => validate(value));
  return { results, errors: validate.errors?.map(({ message }) => message) };
}
