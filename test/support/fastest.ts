/** How long the fastest of three runs takes (milliseconds): the others can have waited for whatever else the machine does. */
export function fastest(run: () => void): number {
  const times = Array.from({ length: 3 }, () => {
    const startedAt = performance.now();
    run();
    return performance.now() - startedAt;
  });
  return Math.min(...times);
}
