/** The state of a thread at one moment, as another thread sees it; times in milliseconds. */
export interface Sample {
  /** The time by a clock that never goes back. */
  readonly at: number;
  /** The number of turns of its event loop. */
  readonly beats: number;
  /** The total time that it was ready to run and waited for a processor. */
  readonly waited: number;
}

/** How long an event loop has been blocked (milliseconds), and the last sample. */
export interface Stall {
  readonly blocked: number;
  readonly last: Sample;
}

/**
 * Updates a stall with a new sample. Only time in which the thread could run counts. Time that it waited for a processor
 * on a busy machine does not count, nor a gap between samples: then the whole process was frozen (`docker pause`, a
 * suspended laptop).
 *
 * @param stepMs the intended time between samples (milliseconds); at most twice this time counts.
 */
export function observe({ blocked, last }: Stall, sample: Sample, stepMs: number): Stall {
  if (sample.beats !== last.beats) return { blocked: 0, last: sample };
  const passed = Math.min(sample.at - last.at, 2 * stepMs);
  const starved = Math.max(0, sample.waited - last.waited);
  return { blocked: blocked + Math.max(0, passed - starved), last: sample };
}
