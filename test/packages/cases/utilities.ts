import { type PackageCase, works, worksWith } from '../package-case.ts';
import { DECORATORS } from '../reasons.ts';

export const UTILITIES: readonly PackageCase[] = [
  works('date-fns', 'a locale, distances and business days', ['28. Februar 2026', '3 months', 20]),
  works('dayjs', 'plugins and a locale', ['28. Februar', 'vor 3 Tagen']),
  worksWith(DECORATORS, 'inversify', 'injects a singleton', [42, true]),
  works('lodash', 'a chain, a copy and a template', {
    byLetter: { A: 77, G: 85 },
    equal: true,
    text: 'Hi Ada',
  }),
  works('lodash-es', '`debounce`, `chunk` and `merge`', {
    calls: 1,
    chunks: [[1, 2], [3]],
    merged: { a: { b: 1, c: 2 } },
  }),
  works('luxon', 'a change of daylight saving time', { next: '2026-03-29T12:00:00.000+02:00', hours: 23 }),
  works('nanoid', 'its own alphabet', [21, true, false]),
  works('rxjs', 'a pipe of operators', [0, 72]),
  worksWith(DECORATORS, 'tsyringe', 'injects by the types of parameters', 'Hello, it is 12:00'),
  works('uuid', 'versions 4, 5 and 7', ['9342d47a-1bab-5709-9869-c840b2eac501', true, 7]),
];
