import Joi from 'joi';

const schema = Joi.object({ name: Joi.string().min(2).required(), when: Joi.date().iso() });

export function check() {
  const { error } = schema.validate({ name: 'A' });
  return { message: error?.message, valid: schema.validate({ name: 'Ada', when: '2026-01-01' }).error === undefined };
}
