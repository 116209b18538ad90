import { InvalidArgumentError } from '@commander-js/extra-typings';

/** Reads `10`, `10s`, `500ms` or `2m` as milliseconds. @throws InvalidArgumentError */
export function duration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  const time = Number(digits) * (unit === 'ms' ? 1 : unit === 'm' ? 60_000 : 1_000);
  if (time > 0 && time <= 3_600_000) return time;
  throw new InvalidArgumentError('give a time above 0, at most 1 hour: 10s, 500ms, 2m.');
}

/** @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('give a whole number.');
}

/** @throws InvalidArgumentError */
export function positiveNumber(text: string): number {
  if (wholeNumber(text) > 0) return wholeNumber(text);
  throw new InvalidArgumentError('give a whole number above 0.');
}
