import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type Docker from 'dockerode';

import { BareFleet } from './bare/fleet.ts';
import { run } from './command.ts';
import { compare } from './compare.ts';
import type { Contender } from './contender.ts';
import { ControlLine } from './control-line.ts';
import { type Costs, idleCost } from './cost.ts';
import { erlangBare, erlangMulticall, erlangNl } from './erlang/contenders.ts';
import { ErlangFleet } from './erlang/fleet.ts';
import type { PushFigures } from './figures.ts';
import { HotcastFleet } from './hotcast-fleet.ts';
import { measureEditToLive } from './hotcast/edit-to-live.ts';
import { HotcastPush } from './hotcast/push.ts';
import { describeMachine } from './machine.ts';
import type { Options, Part } from './options.ts';
import { containersOf } from './projects.ts';
import { measureRestarts } from './restarts/restarts.ts';
import type { Results, Scale } from './results.ts';
import { measureScale } from './scale/measure-scale.ts';
import { TARGET_BYTES } from './targets.ts';
import { wireCost } from './wire.ts';

/** Loadable code (bytes). */
const SIZES = [1_024, 10_240, 102_400];

/** Pushes of each contender and size that do not count. */
const WARM_UP = 5;

/** Pushes around which the wire is looked at. */
const WIRE_PUSHES = 5;

/** Edits of each way. */
const EDITS = 10;

/** What a constant load calls (a second), how often Hotcast pushes under it, and what a rolling restart may take (ms). */
const LOAD = { rate: 200, pushes: 100, rollingMayTake: 15_000 };

/** A controller starts the process for its next preflight once a push is over, which takes about this long (ms). */
const AFTERMATH = 300;

/** Fleets that have just been started are left alone for so long (milliseconds). */
const SETTLING = 5_000;

/** Sizes of the simulated fleets, and of the larger one of containers, which is not for who asks for less than thirty. */
const SIMULATED = [100, 1_000, 10_000];
const CONTAINERS = 100;
const SMALL = 30;

/** All Compose projects that a run may have. */
export function projectsOf({
  project,
}: Pick<Options, 'project'>): Record<'hotcast' | 'erlang' | 'bare' | 'plain', string> {
  return { hotcast: project, erlang: `${project}-erlang`, bare: `${project}-bare`, plain: `${project}-plain` };
}

/** One run of the benchmark: its parts, one after the other, and only the fleets that they need. */
export class Suite {
  readonly #docker: Docker;
  readonly #options: Options;
  readonly #say: (line: string) => void;

  /** @param say is told what is done now. */
  constructor(docker: Docker, options: Options, say: (line: string) => void) {
    this.#docker = docker;
    this.#options = options;
    this.#say = say;
  }

  /** @throws Error when a contender does not do its part. Everything that was started is gone by then. */
  async run(): Promise<Results> {
    const { nodes, images } = this.#options;
    const at = new Date().toISOString();
    const compares = this.#wants('cost', 'push');
    const [machine, erlangImage] = await Promise.all([
      describeMachine(this.#docker, images),
      compares ? this.#erlangImage() : '',
      this.#buildImages(),
    ]);
    using modules = new ModulesFolder();
    await using erlang = compares ? await this.#startErlang(erlangImage) : null;
    await using hotcast = this.#wants('cost', 'push', 'edit', 'restarts')
      ? await this.#startHotcast(nodes, modules.path)
      : null;
    using line = hotcast === null ? null : new ControlLine(hotcast.controller);
    let cost: Costs | null = null;
    let push: PushFigures[] | null = null;
    if (erlang !== null && hotcast !== null && line !== null) {
      const own = new HotcastPush(hotcast, nodes, line);
      const multicall = erlangMulticall(erlang.driver);
      const idle = this.#wants('cost') ? await this.#idle(hotcast, erlang) : [];
      if (this.#wants('push'))
        push = await this.#compare(own, [multicall, erlangNl(erlang.driver), erlangBare(erlang.driver)]);
      if (this.#wants('cost')) cost = { idle, wire: await this.#wire(own, multicall, erlang.containers) };
      await own[Symbol.asyncDispose]();
      await erlang[Symbol.asyncDispose]();
    }
    const edit = hotcast !== null && line !== null && this.#wants('edit') ? await this.#edit(hotcast, line) : null;
    const restarts = hotcast !== null && this.#wants('restarts') ? await this.#restarts(hotcast) : null;
    await hotcast?.[Symbol.asyncDispose]();
    const scale = this.#wants('scale') ? await this.#scale(modules.path, push) : null;
    return { at, machine, otp: erlang?.release ?? null, nodes, warmUp: WARM_UP, push, edit, cost, restarts, scale };
  }

  #wants(...parts: readonly Part[]): boolean {
    return parts.some(part => this.#options.parts.includes(part));
  }

  /** Hotcast's images, under the name of the project that runs them. */
  async #buildImages(): Promise<void> {
    this.#say("Hotcast's images");
    await run('setup/images.sh', [], { HOTCAST_PROJECT: projectsOf(this.#options).hotcast });
  }

  async #erlangImage(): Promise<string> {
    this.#say("Erlang's image (the first time it may be built, which takes a minute)");
    return (await run('bench/erlang/image.sh', [])).trim();
  }

  #startErlang(image: string): Promise<ErlangFleet> {
    const { nodes } = this.#options;
    this.#say(`${nodes} BEAM nodes start`);
    return ErlangFleet.start({ docker: this.#docker, project: projectsOf(this.#options).erlang, nodes, image });
  }

  #startHotcast(nodes: number, modules: string): Promise<HotcastFleet> {
    this.#say(`${nodes} nodes of Hotcast start`);
    return HotcastFleet.start({ project: projectsOf(this.#options).hotcast, nodes, modules });
  }

  async #idle(hotcast: HotcastFleet, erlang: ErlangFleet): Promise<Costs['idle']> {
    const docker = this.#docker;
    const { hotcast: project } = projectsOf(this.#options);
    this.#say('cost of idle nodes');
    await pause(SETTLING);
    const nodes = await containersOf(docker, project, 'node');
    const { Config } = await docker.getContainer(erlang.containers[0] ?? '').inspect();
    return [
      await idleCost(docker, { contender: 'Hotcast', nodes, image: `${project}-node`, start: hotcast.startedIn }),
      await idleCost(docker, {
        contender: 'Erlang',
        nodes: erlang.containers,
        image: Config.Image,
        start: erlang.startMs,
      }),
    ];
  }

  async #compare(own: HotcastPush, others: readonly Contender[]): Promise<PushFigures[]> {
    const { nodes, rounds } = this.#options;
    this.#say(`${nodes} bare NATS clients start`);
    await using bare = await BareFleet.start(projectsOf(this.#options).bare, nodes);
    const entrants = [
      { contender: own, aftermath: AFTERMATH },
      ...[...others, bare.once(), bare.twice()].map(contender => ({ contender, aftermath: 0 })),
    ];
    const onRound = (round: number): void => {
      if (round % 10 === 0) this.#say(`pushes, round ${round} of ${rounds}`);
    };
    return await compare({ entrants, sizes: SIZES, rounds, warmUp: WARM_UP, onRound });
  }

  async #wire(own: HotcastPush, erlang: Contender, beams: readonly string[]): Promise<Costs['wire']> {
    this.#say('bytes on the wire');
    const nodes = await containersOf(this.#docker, projectsOf(this.#options).hotcast, 'node');
    const rows: Costs['wire'][number][] = [];
    for (const [contender, ids] of [
      [own, nodes],
      [erlang, beams],
    ] as const) {
      await contender.push(TARGET_BYTES);
      const cost = await wireCost(this.#docker, ids, WIRE_PUSHES, TARGET_BYTES, () => contender.push(TARGET_BYTES));
      rows.push({ contender: contender.name, ...cost });
    }
    return rows;
  }

  async #edit(fleet: HotcastFleet, line: ControlLine): Promise<Results['edit']> {
    this.#say('edit to live');
    const { hotcast: project } = projectsOf(this.#options);
    return measureEditToLive({ fleet, project, line, bytes: TARGET_BYTES, rounds: EDITS, warmUp: WARM_UP });
  }

  async #restarts(hotcast: HotcastFleet): Promise<Results['restarts']> {
    const { nodes } = this.#options;
    this.#say('restarts, and pushes, under a load of calls');
    return measureRestarts({ nodes, project: projectsOf(this.#options).plain, hotcast, ...LOAD });
  }

  async #scale(modules: string, push: readonly PushFigures[] | null): Promise<Scale> {
    const { nodes, images } = this.#options;
    const compared = push?.find(({ contender, bytes }) => contender === 'Hotcast' && bytes === TARGET_BYTES);
    const containers = compared === undefined ? [] : [{ nodes, push: compared }];
    if (nodes >= SMALL && nodes < CONTAINERS)
      containers.push({ nodes: CONTAINERS, push: await this.#manyContainers(modules) });
    this.#say(`${SIMULATED.join(', ')} simulated nodes`);
    return { simulated: await measureScale(SIMULATED, { work: 'shared', images }), containers };
  }

  async #manyContainers(modules: string): Promise<PushFigures> {
    await using fleet = await this.#startHotcast(CONTAINERS, modules);
    using line = new ControlLine(fleet.controller);
    const contender = new HotcastPush(fleet, CONTAINERS, line);
    const entrants = [{ contender, aftermath: AFTERMATH }];
    this.#say(`pushes to ${CONTAINERS} containers`);
    const [figures] = await compare({ entrants, sizes: [TARGET_BYTES], rounds: EDITS, warmUp: 3 });
    if (figures === undefined) throw new TypeError('nothing was compared');
    return figures;
  }
}

/** Where the controller's container reads modules from. */
class ModulesFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'modules-'));

  constructor() {
    chmodSync(this.path, 0o755);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
