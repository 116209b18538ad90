import { once } from 'node:events';

import type Docker from 'dockerode';

import type { RosterAnswer } from '../../../../protocol/messages.ts';

/** What happens to a container that makes another list of it. */
const CHANGES = ['create', 'start', 'die', 'pause', 'unpause', 'rename', 'destroy'] as const;

/** Between two attempts to hear the engine's events (milliseconds). */
const LISTEN_AGAIN = 1_000;

/** A list is asked for again after this time in any case (milliseconds): not all that fails in the engine is an event. */
const ASK_AGAIN = 10_000;

interface Engine {
  listContainers(options: Docker.ContainerListOptions): Promise<Docker.ContainerInfo[]>;
  getEvents(options: Docker.GetEventsOptions): Promise<NodeJS.ReadableStream>;
}

/**
 * The containers with all the given labels (`key=value`), in whatever state they are. The engine takes 15 ms to list a fleet
 * of thirty, which every push would wait for: so the list is kept until the engine tells of a change. Where its events can't
 * be heard (a proxy before its socket), it is asked each time.
 */
export class Containers {
  readonly #engine: Engine;
  readonly #labels: readonly string[];
  #isListening = false;
  #known: RosterAnswer | null = null;
  /** Grows with each change: a list that was asked for before one may not have it. */
  #changes = 0;

  constructor(engine: Engine, labels: readonly string[]) {
    this.#engine = engine;
    this.#labels = labels;
  }

  /** Hears the engine's events, for as long as the process lives. */
  async follow(): Promise<never> {
    for (;;) {
      await this.#listen().catch(() => undefined);
      this.#isListening = false;
      this.#changed();
      await new Promise(resolve => setTimeout(resolve, LISTEN_AGAIN));
    }
  }

  /** What the engine knows now. */
  async list(): Promise<RosterAnswer> {
    if (this.#known !== null) return this.#known;
    const changes = this.#changes;
    const answer = await this.#ask();
    if (this.#isListening && changes === this.#changes && answer.status === 'containers') this.#known = answer;
    return answer;
  }

  /** Ends when the engine does not tell any more. */
  async #listen(): Promise<void> {
    const filters: Docker.GetEventsOptions['filters'] = {
      type: ['container'],
      event: [...CHANGES],
      label: [...this.#labels],
    };
    const events = await this.#engine.getEvents({ filters });
    // One event or many, whole or in parts: each means to look again.
    events.on('data', () => this.#changed());
    this.#isListening = true;
    this.#changed();
    const asking = setInterval(() => {
      this.#changed();
      void this.list();
    }, ASK_AGAIN);
    await once(events, 'close').finally(() => clearInterval(asking));
  }

  #changed(): void {
    this.#changes += 1;
    this.#known = null;
  }

  async #ask(): Promise<RosterAnswer> {
    try {
      const containers = await this.#engine.listContainers({ all: true, filters: { label: [...this.#labels] } });
      return {
        status: 'containers',
        containers: containers.map(({ Id, Names, State, Created }) => ({
          id: Id.slice(0, 12),
          name: (Names[0] ?? Id).replace(/^\//, ''),
          state: State,
          createdAt: Created * 1_000,
        })),
      };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { status: 'unavailable', detail: `the roster can't ask the Docker engine (${reason})` };
    }
  }
}
