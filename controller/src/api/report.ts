import * as v from 'valibot';

import { count } from '../../../protocol/schemas.ts';
import { diagnosticSchema } from './diagnostic.ts';
import { resultSchema } from './results.ts';
import { list } from './validation.ts';

/** What the controller reports to the CLI while a command runs. `result` or `failed` is the last report. */
export const reportSchema = v.variant('type', [
  v.object({ type: v.literal('progress'), phase: v.string(), answered: count, expected: count }),
  v.object({ type: v.literal('warning'), message: v.string() }),
  v.object({ type: v.literal('result'), result: resultSchema }),
  v.object({
    type: v.literal('failed'),
    /** The `code` of the error, or `fault` for a fault of the controller. */
    code: v.string(),
    message: v.string(),
    /** The errors of the compiler or the type checker. */
    diagnostics: v.exactOptional(list(diagnosticSchema)),
  }),
]);

export type Report = Readonly<v.InferOutput<typeof reportSchema>>;

/** Receives the reports of a command. */
export type OnReport = (report: Report) => void;
