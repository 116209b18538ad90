import * as v from 'valibot';

/** The longest message of a change, in characters. */
const MAX_MESSAGE = 1_000;

/** The commit of git that the sources were at, and whether they differed from it. */
const gitState = v.object({
  commit: v.pipe(v.string(), v.regex(/^[0-9a-f]{7,64}$/, 'not a commit of git')),
  dirty: v.boolean(),
});

/** What a user says of a change, and what its sources were, as far as that is known. Heads and the audit keep it. */
export const whyEntries = {
  message: v.exactOptional(
    v.pipe(v.string(), v.maxLength(MAX_MESSAGE, `a message has at most ${MAX_MESSAGE} characters`)),
  ),
  git: v.exactOptional(gitState),
};

const whySchema = v.object(whyEntries);

export type Why = Readonly<v.InferOutput<typeof whySchema>>;

/** The part of something that says why. */
export function whyOf({ message, git }: Why): Why {
  return { ...(message === undefined ? {} : { message }), ...(git === undefined ? {} : { git }) };
}

/** Reads `3f2a9c…` or `3f2a9c…-dirty`; nothing for anything else. */
export function gitStateOf(text: string): Pick<Why, 'git'> {
  const [commit = '', mark] = text.split('-');
  const { success, output } = v.safeParse(gitState, { commit, dirty: mark === 'dirty' });
  return success ? { git: output } : {};
}
