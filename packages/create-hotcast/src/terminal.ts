import { cancel, confirm, isCancel, select, text } from '@clack/prompts';

import type { Questions } from './create.ts';
import { DEFAULT_TEMPLATE, type Template, TEMPLATES } from './options.ts';

/** The user has pressed Ctrl+C. */
export class Cancelled extends Error {}

/** Asks on the terminal. The functions throw {@link Cancelled}. */
export const terminalQuestions: Questions = {
  text: async (message, initialValue, problemWith) =>
    answered(await text({ message, initialValue, validate: (value = '') => problemWith(value) })),
  template: async () => {
    const options = Object.entries(TEMPLATES).map(([value, hint]) => ({
      value: value as Template,
      label: value,
      hint,
    }));
    return answered(await select<Template>({ message: 'Template', initialValue: DEFAULT_TEMPLATE, options }));
  },
  confirm: async message => answered(await confirm({ message })),
};

function answered<T>(answer: T): Exclude<T, symbol> {
  if (!isCancel(answer)) return answer as Exclude<T, symbol>;
  cancel('Nothing was changed.');
  throw new Cancelled();
}
