import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

import { engine } from '../../../packages/testing/src/docker/engine.ts';

/** An event of a container. */
export interface EngineEvent {
  readonly action: string;
  /** By the clock of the engine (milliseconds). */
  readonly at: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The events of a container from now on, until the signal aborts. */
export async function engineEvents(
  container: string,
  signal: AbortSignal,
): Promise<AsyncGenerator<EngineEvent, void, undefined>> {
  const docker = await engine();
  const source = await docker.getEvents({ filters: { container: [container] }, abortSignal: signal });
  source.on('error', () => undefined); // An abort ends it with an error.
  return eventsIn(Readable.from(source));
}

async function* eventsIn(source: Readable): AsyncGenerator<EngineEvent, void, undefined> {
  try {
    for await (const line of createInterface({ input: source })) {
      const { Action, timeNano, Actor } = JSON.parse(line) as {
        Action: string;
        timeNano: number;
        Actor: { Attributes: Record<string, string> };
      };
      yield { action: Action, at: timeNano / 1e6, attributes: Actor.Attributes };
    }
  } finally {
    source.destroy();
  }
}
