import { type PackageCase, works, worksWith } from '../package-case.ts';
import { DECORATORS } from '../reasons.ts';

export const VALIDATION: readonly PackageCase[] = [
  works('ajv', 'a compiled schema', {
    results: [true, false, false],
    errors: ["must have required property 'age'"],
  }),
  worksWith(DECORATORS, 'class-validator', 'decorators, also on a nested class (with class-transformer)', {
    errors: ['name', 'address'],
    nested: true,
  }),
  works('joi', 'strings and dates', { message: '"name" length must be at least 2 characters long', valid: true }),
  works('valibot', 'a pipe with a transformation', [3, false]),
  works('yup', 'casts, and all errors', {
    user: { age: 36, name: 'Ada' },
    errors: ['age must be a positive number', 'name is a required field'],
  }),
  works('zod', 'coercion and issues', { user: { name: 'Ada', age: 36 }, wrong: ['name', 'age'] }),
];
