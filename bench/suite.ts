import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import Docker from 'dockerode';

import { describeMachine, idleCost, wireCost } from './docker.ts';
import { Driver } from './driver.ts';
import { measureEdits } from './edit.ts';
import { connectNodes, drivenContender, erlangContenders } from './erlang/erlang.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { type Hotcast, hotcastContender, startHotcast } from './hotcast.ts';
import type { Options, Part } from './options.ts';
import { measureRestarts } from './restarts/restarts.ts';
import { BARE, type FleetCost, HOTCAST, pushesOf, type Results, TARGET_BYTES, TWICE } from './results.ts';
import { type Contender, type PushFigures, pushInRounds } from './rounds.ts';
import { ROOT, run } from './run.ts';
import { measureScale } from './scale/scale.ts';

/** Loadable code (bytes). */
const SIZES = [1_024, TARGET_BYTES, 102_400];

/** Pushes of each contender and size that do not count, pushes around a reading of the wire, and edits. */
const WARM_UP = 5;
const WIRE_PUSHES = 5;
const EDITS = 10;

/** The pause after the start of a fleet, before its idle nodes are watched (milliseconds). */
const QUIET_MS = 5_000;

/** Sizes of the simulated fleets, and of a larger one of containers. The largest need a run with at least thirty nodes. */
const SIMULATED = [100, 1_000, 10_000];
const CONTAINERS = 100;
const LARGE = 30;

/** What a run adds to its name for its Compose projects. */
export const PROJECTS = ['', '-against', '-erlang', '-bare', '-plain', '-scale'] as const;

/** One run of the benchmark: its parts, one after the other, and only the fleets that they need. */
export class Suite {
  readonly #docker = new Docker();
  readonly #options: Options;
  readonly #folder: string;
  readonly #say: (line: string) => void;
  #otp: string | null = null;

  /** @param folder an empty folder that containers can read. @param say is told what is done now. */
  constructor(options: Options, folder: string, say: (line: string) => void) {
    this.#options = options;
    this.#folder = folder;
    this.#say = say;
  }

  /** @throws Error when a contender does not do its part. By then, everything that was started is removed. */
  async run(): Promise<Results> {
    const { nodes, images } = this.#options;
    const at = new Date().toISOString();
    const machine = await describeMachine(this.#docker, images);
    const found = this.#wants('cost', 'push', 'edit', 'restarts') ? await this.#onHotcast() : NOTHING;
    const scale = this.#wants('scale') ? await this.#scale(found.push) : null;
    return { at, machine, otp: this.#otp, nodes, warmUp: WARM_UP, ...found, scale };
  }

  #wants(...parts: readonly Part[]): boolean {
    return parts.some(part => this.#options.parts.includes(part));
  }

  #project(suffix: (typeof PROJECTS)[number]): string {
    return `${this.#options.project}${suffix}`;
  }

  #newFolder(name: string): string {
    const path = join(this.#folder, name);
    mkdirSync(path);
    return path;
  }

  #startHotcast(nodes: number, checkout = ROOT): Promise<Hotcast> {
    this.#say(`${nodes} nodes of Hotcast start${checkout === ROOT ? '' : ` from ${checkout}`}`);
    const project = this.#project(checkout === ROOT ? '' : '-against');
    return startHotcast(project, nodes, this.#newFolder(`${project}-${nodes}`), checkout);
  }

  /** Starts the fleet of `bench/<name>`. */
  #start(name: 'erlang' | 'bare', env: Readonly<Record<string, string>>): Promise<Fleet> {
    const { nodes } = this.#options;
    this.#say(`${nodes} nodes of ${name} start`);
    const file = join(ROOT, 'bench', name, 'docker-compose.yml');
    return startFleet({ project: this.#project(`-${name}`), file, env }, '--scale', `node=${nodes}`);
  }

  /** Bundles a program for containers; the folder that it is alone in. */
  async #program(name: string, source: string): Promise<string> {
    const folder = this.#newFolder(name);
    await run('npm', ['run', '--silent', 'bundle', '--', source, `--outfile=${folder}/${name}.mjs`]);
    return folder;
  }

  /** All parts on the fleet of the comparison. */
  async #onHotcast(): Promise<typeof NOTHING> {
    await using hotcast = await this.#startHotcast(this.#options.nodes);
    const found = this.#wants('cost', 'push') ? await this.#compare(hotcast) : NOTHING;
    await hotcast.clear();
    if (this.#wants('edit')) this.#say('edit to live');
    const edit = this.#wants('edit') ? await measureEdits(hotcast, TARGET_BYTES, EDITS, WARM_UP) : null;
    if (!this.#wants('restarts')) return { ...found, edit };
    this.#say('restarts, and pushes, under a load of calls');
    const restarts = await measureRestarts(hotcast, this.#project('-plain'), this.#newFolder('plain'));
    return { ...found, edit, restarts };
  }

  /** Hotcast beside Erlang, bare NATS and, when asked for, another checkout. */
  async #compare(hotcast: Hotcast): Promise<typeof NOTHING> {
    this.#say("Erlang's image (the first time it may be built, which takes a minute)");
    const image = (await run('bench/erlang/image.sh', [])).trim();
    await using beams = await this.#start('erlang', { ERLANG_IMAGE: image });
    using driver = new Driver(await beams.id('driver'));
    this.#otp = await connectNodes(beams, driver, this.#options.nodes);
    const startMs = beams.ageMs();
    const own = hotcastContender(HOTCAST, hotcast);
    const [multicall, ...others] = erlangContenders(driver);
    const cost: FleetCost[] = [];
    if (this.#wants('cost')) {
      cost.push(await this.#cost(own, hotcast.fleet, `${hotcast.fleet.project}-node`, hotcast.startMs));
      cost.push(await this.#cost(multicall, beams, image, startMs));
    }
    const push = this.#wants('push') ? await this.#push(own, [multicall, ...others]) : null;
    return { ...NOTHING, push, cost: cost.length === 0 ? null : cost };
  }

  async #cost(contender: Contender, fleet: Fleet, image: string, startMs: number): Promise<FleetCost> {
    this.#say(`cost of ${contender.name}`);
    await pause(QUIET_MS);
    const ids = await fleet.ids('node');
    const idle = await idleCost(this.#docker, ids, image);
    await contender.push(TARGET_BYTES);
    const wire = await wireCost(this.#docker, ids, WIRE_PUSHES, () => contender.push(TARGET_BYTES));
    return { contender: contender.name, idle, startMs, wire };
  }

  async #push(own: Contender, erlang: readonly Contender[]): Promise<PushFigures[]> {
    const { nodes, rounds, against } = this.#options;
    await using other = against === null ? null : await this.#startHotcast(nodes, against);
    const others = other === null ? [] : [hotcastContender(`Hotcast of ${against}`, other)];
    await using bare = await this.#start('bare', { PROGRAMS: await this.#program('bare', 'bench/bare/client.ts') });
    using driver = new Driver(await bare.id('driver'));
    await driver.order('expect', nodes);
    const onRound = (round: number): void => {
      if (round % 10 === 0) this.#say(`pushes, round ${round} of ${rounds}`);
    };
    const floor = [drivenContender(driver, BARE, 'once'), drivenContender(driver, TWICE, 'twice')];
    const contenders = [own, ...others, ...erlang, ...floor];
    return await pushInRounds({ contenders, sizes: SIZES, rounds, warmUp: WARM_UP, onRound });
  }

  async #scale(push: readonly PushFigures[] | null): Promise<Results['scale']> {
    const { nodes } = this.#options;
    const compared = pushesOf({ push }, HOTCAST, TARGET_BYTES);
    const containers = compared === undefined ? [] : [{ nodes, push: compared }];
    if (nodes >= LARGE && nodes < CONTAINERS) {
      await using hotcast = await this.#startHotcast(CONTAINERS);
      const contenders = [hotcastContender(HOTCAST, hotcast)];
      const figures = await pushInRounds({ contenders, sizes: [TARGET_BYTES], rounds: EDITS, warmUp: 3 });
      containers.push(...figures.map(each => ({ nodes: CONTAINERS, push: each })));
    }
    const counts = nodes >= LARGE ? SIMULATED : SIMULATED.slice(0, -1);
    this.#say(`${counts.join(', ')} simulated nodes`);
    const programs = await this.#program('scale', 'bench/scale/main.ts');
    return { containers, simulated: await measureScale(this.#project('-scale'), programs, counts, TARGET_BYTES) };
  }
}

/** The parts on the fleet of the comparison. */
const NOTHING: Pick<Results, 'push' | 'cost' | 'edit' | 'restarts'> = {
  push: null,
  cost: null,
  edit: null,
  restarts: null,
};
