import * as v from 'valibot';

import { eventSchema } from '../../../protocol/history/event.ts';
import { count } from '../../../protocol/schemas.ts';
import { failedSchema, loggedEntrySchema, savedSchema } from './report.ts';
import { resultSchema } from './results.ts';

/**
 * A line of `hotcast … --json`: the result of a command, why there is none, a save that `dev` has seen, what `tail`
 * shows: an entry, or the number of those that were dropped, or an event. It is for programs of
 * users: types/output.d.ts and types/output.schema.json are written from it.
 */
export const outputSchema = v.union([
  resultSchema,
  v.object({ failed: failedSchema }),
  v.object({ saved: savedSchema }),
  v.object({ logged: loggedEntrySchema }),
  v.object({ dropped: count }),
  v.object({ event: eventSchema }),
]);

export type Output = Readonly<v.InferOutput<typeof outputSchema>>;
