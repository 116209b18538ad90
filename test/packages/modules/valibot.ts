import * as v from 'valibot';

const Schema = v.pipe(
  v.object({ name: v.pipe(v.string(), v.minLength(2)) }),
  v.transform(({ name }) => name.length),
);

export function check() {
  return [v.parse(Schema, { name: 'Ada' }), v.safeParse(Schema, { name: 'A' }).success];
}
