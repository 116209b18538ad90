import { once } from 'node:events';
import { createInterface } from 'node:readline';

import type Docker from 'dockerode';
import * as v from 'valibot';

import { nodeNameOf } from '../../../../protocol/names.ts';
import type { Roster, RosterMember, RosterState } from './roster.ts';

/** The events of the engine after which the list of containers can differ. */
const CHANGE_EVENTS = ['create', 'start', 'die', 'pause', 'unpause', 'rename', 'destroy'] as const;

/** The time between two attempts to subscribe to the engine's events. */
const RETRY_INTERVAL_MS = 1_000;

/** The list is read again after this time in any case: not every failure in the engine is an event. */
const REFRESH_INTERVAL_MS = 10_000;

/** What matters of an event of the engine. */
const eventSchema = v.object({ Action: v.string(), Actor: v.object({ ID: v.string() }), timeNano: v.number() });

/** What an engine is asked. */
export interface Engine {
  listContainers(options: Docker.ContainerListOptions): Promise<Docker.ContainerInfo[]>;
  getEvents(options: Docker.GetEventsOptions): Promise<NodeJS.ReadableStream>;
}

/**
 * The containers of one engine with all the given labels (`key=value`), in any state. The engine takes 15 ms to list thirty
 * containers, and every push would wait for it. So the list is cached until the engine reports a change. When its events are not
 * available (behind a proxy of its socket, for example), every request reads the list again.
 */
export class ComposeRoster implements Roster {
  readonly #engine: Engine;
  readonly #labels: readonly string[];
  readonly #project: string;
  readonly #offset: number;
  #isListening = false;
  #cached: RosterState | null = null;
  /** The last start of each container, by its id. */
  readonly #starts = new Map<string, string>();
  /** Counts the changes: a list that was requested before a change is not cached. */
  #changes = 0;
  #events: NodeJS.ReadableStream | null = null;
  #isDisposed = false;

  /** @param project the Compose project, and `offset` that of the machine, see {@link nodeNameOf}. */
  constructor(engine: Engine, labels: readonly string[], project: string, offset = 0) {
    this.#engine = engine;
    this.#labels = labels;
    this.#project = project;
    this.#offset = offset;
  }

  /** Follows the engine's events until it is disposed. */
  async follow(): Promise<void> {
    while (!this.#isDisposed) {
      await this.#listen().catch(() => undefined);
      this.#isListening = false;
      this.#changed();
      await new Promise(resolve => setTimeout(resolve, RETRY_INTERVAL_MS).unref());
    }
  }

  async members(): Promise<RosterState> {
    return this.#cached ?? this.membersNow();
  }

  async membersNow(): Promise<RosterState> {
    const changes = this.#changes;
    const state = await this.#read();
    if (this.#isListening && changes === this.#changes && state.status === 'members') this.#cached = state;
    return state;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    if (this.#events !== null && 'destroy' in this.#events && typeof this.#events.destroy === 'function')
      this.#events.destroy();
  }

  /** Resolves when the engine's event stream ends. */
  async #listen(): Promise<void> {
    const filters: Docker.GetEventsOptions['filters'] = {
      type: ['container'],
      event: [...CHANGE_EVENTS],
      label: [...this.#labels],
    };
    const events = await this.#engine.getEvents({ filters });
    this.#events = events;
    // A chunk can be part of an event or several events. Each means that the list is out of date.
    events.on('data', () => this.#changed());
    events.setEncoding('utf8');
    createInterface({ input: events }).on('line', line => this.#noteStart(line));
    this.#isListening = true;
    this.#changed();
    const refresh = setInterval(() => {
      this.#changed();
      void this.members();
    }, REFRESH_INTERVAL_MS);
    await once(events, 'close').finally(() => clearInterval(refresh));
  }

  /** Notes when a container starts: no node can make that up. */
  #noteStart(line: string): void {
    const event = parseEvent(line);
    if (event?.Action === 'destroy') this.#starts.delete(event.Actor.ID.slice(0, 12));
    if (event?.Action === 'start') this.#starts.set(event.Actor.ID.slice(0, 12), String(event.timeNano));
    this.#changed();
  }

  #changed(): void {
    this.#changes += 1;
    this.#cached = null;
  }

  async #read(): Promise<RosterState> {
    try {
      const containers = await this.#engine.listContainers({ all: true, filters: { label: [...this.#labels] } });
      const members = containers.map(container => this.#memberOf(container));
      return { status: 'members', members, duplicates: [], unreachable: [] };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { status: 'unavailable', detail: `the roster can't ask the Docker engine (${reason})` };
    }
  }

  #memberOf({ Id, Names, State, Created, NetworkSettings }: Docker.ContainerInfo): RosterMember {
    const id = Id.slice(0, 12);
    const name = (Names[0] ?? Id).replace(/^\//, '');
    const lastStart = this.#starts.get(id);
    return {
      id,
      name,
      node: nodeNameOf(name, this.#project, this.#offset),
      state: State,
      createdAt: Created * 1_000,
      addresses: Object.values(NetworkSettings.Networks).flatMap(({ IPAddress }) => IPAddress || []),
      machine: null,
      ...(lastStart === undefined ? {} : { lastStart }),
    };
  }
}

/** An event of the engine; null when the line is none. */
function parseEvent(line: string): v.InferOutput<typeof eventSchema> | null {
  try {
    return v.parse(eventSchema, JSON.parse(line));
  } catch {
    return null;
  }
}
