import * as v from 'valibot';

import { count } from '../../../protocol/schemas.ts';
import { failedSchema, loggedEntrySchema, savedSchema } from './report.ts';
import { resultSchema } from './results.ts';

/**
 * A line of `hotcast … --json`: the result of a command, why there is none, a save that `dev` has seen, or what `tail`
 * shows: an entry, or the number of those that were dropped. It is for programs of
 * users: types/output.d.ts and types/output.schema.json are written from it.
 */
export const outputSchema = v.union([
  resultSchema,
  v.object({ failed: failedSchema }),
  v.object({ saved: savedSchema }),
  v.object({ logged: loggedEntrySchema }),
  v.object({ dropped: count }),
]);

export type Output = Readonly<v.InferOutput<typeof outputSchema>>;
