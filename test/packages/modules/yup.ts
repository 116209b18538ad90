import { number, object, string, ValidationError } from 'yup';

const schema = object({ name: string().trim().required(), age: number().positive().integer() });

export async function check() {
  const user = await schema.validate({ name: ' Ada ', age: '36' });
  const error: unknown = await schema.validate({ age: -1 }, { abortEarly: false }).catch((reason: unknown) => reason);
  return { user, errors: error instanceof ValidationError ? error.errors.toSorted() : null };
}
