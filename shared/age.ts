const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A duration in milliseconds for people, in its two largest units: `42 s`, `3 h 5 min`. */
export function ageText(ms: number): string {
  const rounded = Math.max(0, Math.floor(ms / 1_000)) * 1_000;
  const first = UNITS.findIndex(([, size]) => rounded >= size);
  if (first < 0) return '0 s';
  let rest = rounded;
  const parts = UNITS.slice(first, first + 2).flatMap(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? [] : [`${count} ${unit}`];
  });
  return parts.join(' ');
}
