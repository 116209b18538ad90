import type { Cluster } from './cluster.ts';
import { pause } from '../docker/pause.ts';
import { PushObserver } from './push-observer.ts';

/**
 * Runs `act` between the prepare and the commit of a push. One node is paused, so that the controller waits for its answer.
 * When the other nodes have prepared, `act` runs. Then the paused node continues, unless `act` resumed it already.
 *
 * @param others how many nodes besides the paused one prepare.
 */
export async function duringPush<T>(
  cluster: Cluster,
  { pausedNode, others }: { readonly pausedNode: string; readonly others: number },
  push: () => Promise<T>,
  act: (observer: PushObserver) => Promise<void>,
): Promise<T> {
  await using observer = await PushObserver.start(cluster);
  const paused = await cluster.container(pausedNode);
  await pause(paused);
  const pushing = push();
  pushing.catch(() => undefined); // The caller gets the error from the return value.
  try {
    await Promise.race([observer.waitForPrepared(others), rejectWhenEnded(pushing)]);
    await act(observer);
  } finally {
    if ((await paused.inspect()).State.Paused) await paused.unpause();
  }
  return pushing;
}

/** Rejects with the result of a push that did not wait for the paused node. */
async function rejectWhenEnded(pushing: Promise<unknown>): Promise<never> {
  throw new Error(`the push ended before the test could act: ${JSON.stringify(await pushing)}`);
}
