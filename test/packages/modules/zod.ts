import { z } from 'zod';

const User = z.object({ name: z.string().min(2), age: z.coerce.number().int().positive(), mail: z.email().optional() });

export function check() {
  const wrong = User.safeParse({ name: 'A', age: 'x' });
  return { user: User.parse({ name: 'Ada', age: '36' }), wrong: wrong.error?.issues.map(({ path }) => path[0]) };
}
