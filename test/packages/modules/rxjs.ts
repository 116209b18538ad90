import { bufferCount, filter, interval, lastValueFrom, map, scan, take, toArray } from 'rxjs';

export function check() {
  const sums = interval(1).pipe(
    filter(value => value % 2 === 0),
    scan((sum, value) => sum + value, 0),
    bufferCount(2),
    map(([first = 0, second = 0]) => first * second),
    take(2),
    toArray(),
  );
  return lastValueFrom(sums);
}
