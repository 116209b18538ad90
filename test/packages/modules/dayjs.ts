import dayjs from 'dayjs';
import 'dayjs/locale/de.js';
import relativeTime from 'dayjs/plugin/relativeTime.js';
import utc from 'dayjs/plugin/utc.js';

dayjs.extend(utc);
dayjs.extend(relativeTime);

export function check() {
  const day = dayjs.utc('2026-01-31').locale('de');
  return [day.add(1, 'month').format('D. MMMM'), day.from(day.add(3, 'day'))];
}
