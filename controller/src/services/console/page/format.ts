const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `62 MB`, `1.4 GB`. */
export function bytes(size: number): string {
  let [value, unit] = [size, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

/** `940 ms`, `2.3 s`, `4 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  return age(ms);
}

/** `12 s`, `4 min`, `3 h`, `9 d`. The client script does the same. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `1,204`, `31 k`, `2.4 M`. */
export function count(value: number): string {
  if (value < 10_000) return Math.round(value).toLocaleString('en-US');
  if (value < 1_000_000) return `${Math.round(value / 1_000)} k`;
  return `${(value / 1_000_000).toFixed(1)} M`;
}

/** `1 node`, `30 nodes`. */
export function some(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`;
}
