/** A thread as seen from outside at one moment; times in milliseconds. */
export interface Sample {
  /** Any clock that never goes back. */
  readonly at: number;
  /** How often its event loop has turned. */
  readonly beats: number;
  /** How long it has waited for a processor in all, ready to run. */
  readonly waited: number;
}

/** How long an event loop has been blocked, and the sample that this was computed of. */
export interface Stall {
  readonly blocked: number;
  readonly last: Sample;
}

/**
 * What is known of a stall with one more sample. Only time counts in which the thread could have run: not what it
 * waited for a processor on a busy machine, and not what the watcher itself missed, since then the process was frozen
 * (`docker pause`, a laptop's lid). Pure.
 *
 * @param step how far apart samples are meant to be (milliseconds); of a longer gap no more counts.
 */
export function observe({ blocked, last }: Stall, sample: Sample, step: number): Stall {
  if (sample.beats !== last.beats) return { blocked: 0, last: sample };
  const passed = Math.min(sample.at - last.at, 2 * step);
  const starved = Math.max(0, sample.waited - last.waited);
  return { blocked: blocked + Math.max(0, passed - starved), last: sample };
}
