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

/** Reads a position of the audit. @throws InvalidArgumentError */
export function position(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('give the position of an event, a whole number.');
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `30m`, `2h` or `7d`, in milliseconds; NaN: it is none of them. */
function age(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return Number(digits) * (UNITS[unit] ?? Number.NaN);
}

/** Reads `30m`, `2h` or `7d` ago, or a date, as milliseconds since 1970. @throws InvalidArgumentError */
export function moment(text: string): number {
  const ago = age(text);
  const at = Number.isNaN(ago) ? Date.parse(text) : Date.now() - ago;
  if (at >= 0) return at;
  throw new InvalidArgumentError('give a time before now, or a date: 30m, 2h, 7d, 2026-11-27T08:00:00Z.');
}

/** Reads `12h` or `30d` from now, or a date to come, as milliseconds since 1970. @throws InvalidArgumentError */
export function momentAhead(text: string): number {
  const ahead = age(text);
  const at = Number.isNaN(ahead) ? Date.parse(text) : Date.now() + ahead;
  if (at > Date.now()) return at;
  throw new InvalidArgumentError('give a time from now, or a date to come: 12h, 30d, 2027-01-31T08:00:00Z.');
}
