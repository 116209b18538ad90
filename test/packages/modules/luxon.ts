import { DateTime, Interval } from 'luxon';

export function check() {
  const day = DateTime.fromISO('2026-03-28T12:00', { zone: 'Europe/Berlin' });
  const next = day.plus({ days: 1 });
  return { next: next.toISO(), hours: Interval.fromDateTimes(day, next).length('hours') };
}
