import type { Cluster } from './cluster.ts';
import { pause } from './docker.ts';
import { PushWatch } from './push-watch.ts';

/**
 * Acts in the middle of a push: the holder is paused, so that the controller waits for its answer between prepare and
 * commit; when the others have prepared, `act` runs, and the holder goes on, if `act` did not have it do so.
 *
 * @param others how many nodes besides the holder prepare.
 */
export async function inTheMiddle<T>(
  cluster: Cluster,
  { holder, others }: { readonly holder: string; readonly others: number },
  push: () => Promise<T>,
  act: (watch: PushWatch) => Promise<void>,
): Promise<T> {
  await using watch = await PushWatch.start(cluster);
  const held = await cluster.container(holder);
  await pause(held);
  const pushing = push();
  pushing.catch(() => undefined); // Told by the return, after the holder was let go.
  try {
    await Promise.race([watch.prepared(others), endedEarly(pushing)]);
    await act(watch);
  } finally {
    if ((await held.inspect()).State.Paused) await held.unpause();
  }
  return pushing;
}

/** Rejects with what a push said that did not wait for the holder. */
async function endedEarly(pushing: Promise<unknown>): Promise<never> {
  throw new Error(`the push ended before it was acted on: ${JSON.stringify(await pushing)}`);
}
