import type { Contender, PushSample } from '../contender.ts';
import type { Answer, Driver } from './driver.ts';

/**
 * `code:load_binary` on every node by `erpc:multicall`, which returns when every node has answered.
 * Timed in the driver, from the call to its return.
 */
export function erlangMulticall(driver: Driver): Contender {
  return contender('Erlang multicall', driver, 'multicall', multicallSample);
}

/**
 * `nl/1`, which waits for no answers, and then asking every node that is not ready yet, without pause.
 * Timed in the driver, from the call of `nl/1` until the last node has told the new version. When a node switched is not
 * known, so there is no skew.
 */
export function erlangNl(driver: Driver): Contender {
  return contender('Erlang nl and polling', driver, 'nl', nlSample);
}

/** The bare round trip: so many bytes go to every node by `erpc:multicall`, and every node tells how many came. */
export function erlangBare(driver: Driver): Contender {
  return contender('Erlang bare round trip', driver, 'bare', ({ took }) => ({
    ms: milliseconds(took),
    skew: null,
    phases: {},
  }));
}

function contender(name: string, driver: Driver, order: string, sample: (answer: Answer) => PushSample): Contender {
  return {
    name,
    push: async bytes => sample(await driver.order(order, bytes)),
    // The driver is the fleet's.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Phases are those of the fleet: until the first node has the code, until the last one runs it, until all is known. */
export function multicallSample({ took, arrived, switched }: Answer): PushSample {
  const ms = milliseconds(took);
  const first = Math.min(...times(arrived));
  const last = Math.max(...times(switched));
  return {
    ms,
    skew: last - Math.min(...times(switched)),
    phases: { deliver: first, load: last - first, answer: ms - last },
  };
}

export function nlSample({ took, sent }: Answer): PushSample {
  const ms = milliseconds(took);
  return { ms, skew: null, phases: { send: milliseconds(sent), poll: ms - milliseconds(sent) } };
}

function milliseconds(microseconds: Answer[string] | undefined): number {
  if (typeof microseconds !== 'number') throw new TypeError('the Erlang driver told no time');
  return microseconds / 1_000;
}

function times(microseconds: Answer[string] | undefined): number[] {
  if (!Array.isArray(microseconds)) throw new TypeError('the Erlang driver told no times');
  return microseconds.map(milliseconds);
}
