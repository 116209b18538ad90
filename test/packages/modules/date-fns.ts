import { addMonths, differenceInBusinessDays, format, formatDistance, parseISO } from 'date-fns';
import { de } from 'date-fns/locale';

export function check() {
  const day = parseISO('2026-01-31T00:00:00');
  return [
    format(addMonths(day, 1), 'd. MMMM yyyy', { locale: de }),
    formatDistance(day, addMonths(day, 3)),
    differenceInBusinessDays(addMonths(day, 1), day),
  ];
}
