import * as v from 'valibot';

import { failedSchema, savedSchema } from './report.ts';
import { resultSchema } from './results.ts';

/**
 * A line of `hotcast … --json`: the result of a command, why there is none, or a save that `dev` has seen. It is for programs of
 * users: types/output.d.ts and types/output.schema.json are written from it.
 */
export const outputSchema = v.union([
  resultSchema,
  v.object({ failed: failedSchema }),
  v.object({ saved: savedSchema }),
]);

export type Output = Readonly<v.InferOutput<typeof outputSchema>>;
