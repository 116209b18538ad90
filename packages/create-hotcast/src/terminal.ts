import { stdin } from 'node:process';

import { cancel, confirm, isCancel, select, text } from '@clack/prompts';

import type { Questions } from './create.ts';
import { DEFAULT_TEMPLATE, type Template, TEMPLATES } from './options.ts';

/** The user has pressed Ctrl+C or Ctrl+D, or the terminal is gone. */
export class Cancelled extends Error {}

/** Asks on the terminal. The functions throw {@link Cancelled}. */
export const terminalQuestions: Questions = {
  // What is proposed is not part of what is typed.
  text: async (message, proposed, problemWith) =>
    asked(signal =>
      text({
        message,
        placeholder: proposed,
        defaultValue: proposed,
        validate: (value = '') => (value === '' ? undefined : problemWith(value)),
        signal,
      }),
    ),
  template: async () => {
    const options = Object.entries(TEMPLATES).map(([value, hint]) => ({
      value: value as Template,
      label: value,
      hint,
    }));
    return asked(signal => select<Template>({ message: 'Template', initialValue: DEFAULT_TEMPLATE, options, signal }));
  },
  confirm: async message => asked(signal => confirm({ message, signal })),
};

/** Asks a question. The end of the input is no answer, and the library does not know of it. */
async function asked<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<Exclude<T, symbol>> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const onKey = (_: unknown, key: { readonly name?: string; readonly ctrl?: boolean } | undefined): void => {
    if (key?.ctrl === true && key.name === 'd') end();
  };
  stdin.on('keypress', onKey).once('end', end).once('close', end);
  const answer = await ask(ended.signal).finally(() => stdin.off('keypress', onKey).off('end', end).off('close', end));
  if (!isCancel(answer)) return answer as Exclude<T, symbol>;
  cancel('Nothing was changed.');
  throw new Cancelled();
}
