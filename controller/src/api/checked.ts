import * as v from 'valibot';

/** What an operator checks first: whether it is well, in a sentence, and the command that helps. */
export const checked = v.object({
  check: v.string(),
  state: v.picklist(['ok', 'warning', 'wrong']),
  detail: v.string(),
  help: v.exactOptional(v.string()),
});

export type Checked = Readonly<v.InferOutput<typeof checked>>;
