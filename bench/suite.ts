import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import Docker from 'dockerode';

import { measureCalls } from './calls/calls.ts';
import { measureConsole } from './parts/console.ts';
import { describeMachine, idleCost, wireCost } from './docker.ts';
import { Driver } from './driver.ts';
import { measureEdits } from './parts/edit.ts';
import { connectNodes, drivenContender, erlangContenders } from './erlang/erlang.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { measureHttp } from './http/http.ts';
import { type Hotcast, hotcastContender, startHotcast } from './hotcast.ts';
import { measureJoining } from './parts/joining.ts';
import { measureIdle } from './parts/idle.ts';
import type { Options, Part } from './options.ts';
import { measureRestarts } from './restarts/restarts.ts';
import { BARE, type FleetCost, HOTCAST, OLDER, pushesOf, type Results, TARGET_BYTES, TWICE } from './results.ts';
import { type Contender, pushInRounds } from './rounds.ts';
import { ROOT, run } from './run.ts';
import { measureScale } from './scale/scale.ts';
import { measureTail } from './parts/tail.ts';
import { measureWork, type WorkingFleet } from './parts/work.ts';

/** Loadable code (bytes). */
const SIZES = [1_024, TARGET_BYTES, 102_400];

/** Pushes of each contender and size that do not count, pushes around a reading of the wire, and edits. */
const WARM_UP = 5;
const WIRE_PUSHES = 5;
const EDITS = 10;

/** Turns of each server in each case of HTTP, and of calls; starts of a node. */
const HTTP_ROUNDS = 7;
const CALL_ROUNDS = 9;
const STARTS = 7;

/** The pause after the start of a fleet, before its idle nodes are watched (milliseconds). */
const QUIET_MS = 5_000;

/** Sizes of the simulated fleets, and of a larger one of containers. The largest need a run with at least thirty nodes. */
const SIMULATED = [100, 1_000, 10_000];
const CONTAINERS = 100;
const LARGE = 30;

/** What a run adds to its name for its Compose projects. */
export const PROJECTS = ['', '-against', '-erlang', '-bare', '-plain', '-empty', '-scale'] as const;

/**
 * One run of the benchmark: its parts, one after the other, and only the fleets that they need.
 *
 * @param folder an empty folder that containers can read. @param say is told what is done now.
 * @throws Error when a contender does not do its part. By then, everything that was started is removed.
 */
export async function runSuite(options: Options, folder: string, say: (line: string) => void): Promise<Results> {
  const { nodes, rounds, against, images } = options;
  const docker = new Docker();
  const at = new Date().toISOString();
  const found: { -readonly [Key in keyof Results]?: Results[Key] } = {};
  const wants = (...parts: readonly Part[]): boolean => parts.some(part => options.parts.includes(part));
  const project = (suffix: (typeof PROJECTS)[number]): string => `${options.project}${suffix}`;
  const newFolder = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  /** Bundles a program for containers; the folder that it is alone in. */
  const program = async (name: string, source: string): Promise<string> => {
    const path = newFolder(name);
    await run('npm', ['run', '--silent', 'bundle', '--', source, `--outfile=${path}/${name}.mjs`]);
    return path;
  };
  const hotcastOf = (count: number, checkout = ROOT): Promise<Hotcast> => {
    say(`${count} nodes of Hotcast start${checkout === ROOT ? '' : ` from ${checkout}`}`);
    const its = project(checkout === ROOT ? '' : '-against');
    return startHotcast(its, count, newFolder(`${its}-${count}`), checkout);
  };
  /** Starts the fleet of `bench/<name>`. */
  const fleetOf = (name: 'erlang' | 'bare', env: Readonly<Record<string, string>>): Promise<Fleet> => {
    say(`${nodes} nodes of ${name} start`);
    const file = join(ROOT, 'bench', name, 'docker-compose.yml');
    return startFleet({ project: project(`-${name}`), file, env }, '--scale', `node=${nodes}`);
  };

  const workingFleet = async (name: string, hotcast: Hotcast): Promise<WorkingFleet> => ({
    contender: hotcastContender(name, hotcast),
    nodes: await hotcast.fleet.ids('node'),
  });

  const costOf = async (contender: Contender, fleet: Fleet, image: string, startMs: number): Promise<FleetCost> => {
    say(`cost of ${contender.name}`);
    await pause(QUIET_MS);
    const ids = await fleet.ids('node');
    const idle = await idleCost(docker, ids, image);
    const { ms: firstMs } = await contender.push(TARGET_BYTES);
    const wire = await wireCost(docker, ids, WIRE_PUSHES, () => contender.push(TARGET_BYTES));
    return { contender: contender.name, idle, startMs, firstMs, wire };
  };

  const push = async (own: WorkingFleet, erlang: readonly Contender[]): Promise<void> => {
    await using other = against === null ? null : await hotcastOf(nodes, against);
    const older = other === null ? [] : [await workingFleet(OLDER, other)];
    await using bare = await fleetOf('bare', { PROGRAMS: await program('bare', 'bench/bare/client.ts') });
    using driver = new Driver(await bare.id('driver'));
    await driver.order('expect', nodes);
    const onRound = (round: number): void => {
      if (round % 10 === 0) say(`pushes, round ${round} of ${rounds}`);
    };
    const floor = [drivenContender(driver, BARE, 'once'), drivenContender(driver, TWICE, 'twice')];
    const fleets = [own, ...older];
    const contenders = [...fleets.map(({ contender }) => contender), ...erlang, ...floor];
    found.push = await pushInRounds({ contenders, sizes: SIZES, rounds, warmUp: WARM_UP, onRound });
    say('processor time of pushes');
    found.work = await measureWork(docker, fleets, SIZES);
  };

  /** Hotcast beside Erlang, bare NATS and, when asked for, another checkout. */
  const compare = async (hotcast: Hotcast): Promise<void> => {
    say("Erlang's image (the first time it may be built, which takes a minute)");
    const image = (await run('bench/erlang/image.sh', [])).trim();
    await using beams = await fleetOf('erlang', { ERLANG_IMAGE: image });
    using driver = new Driver(await beams.id('driver'));
    found.otp = await connectNodes(beams, driver, nodes);
    const startMs = beams.ageMs();
    const own = await workingFleet(HOTCAST, hotcast);
    const [multicall, ...others] = erlangContenders(driver);
    if (wants('cost')) {
      const ours = await costOf(own.contender, hotcast.fleet, `${hotcast.fleet.project}-node`, hotcast.startMs);
      found.cost = [ours, await costOf(multicall, beams, image, startMs)];
    }
    if (wants('push')) await push(own, [multicall, ...others]);
  };

  /** A node of the fleet starts with many modules, and one of another cluster without any. */
  const joining = async (hotcast: Hotcast): Promise<void> => {
    say('a node without modules starts');
    await using empty = await startHotcast(project('-empty'), 1, newFolder('empty'), ROOT);
    say('starts of nodes');
    found.joining = await measureJoining(hotcast, empty, STARTS, 1);
  };

  /** All parts on the fleet of the comparison. */
  const onHotcast = async (): Promise<void> => {
    await using hotcast = await hotcastOf(nodes);
    if (wants('cost', 'push')) await compare(hotcast);
    await hotcast.clear();
    if (wants('joining')) await joining(hotcast);
    if (wants('edit')) {
      say('edit to live');
      found.edit = await measureEdits(hotcast, TARGET_BYTES, EDITS, WARM_UP);
    }
    if (wants('tail')) {
      say('pushes while logs are shown');
      found.tail = await measureTail(hotcast, TARGET_BYTES, rounds, WARM_UP);
    }
    if (wants('console')) {
      say('pushes without the console, and with it');
      found.console = await measureConsole(hotcast, TARGET_BYTES, rounds, WARM_UP);
    }
    if (wants('idle')) {
      say(`pushes, ${options.idleMinutes} minutes without any, and pushes`);
      found.idle = await measureIdle(docker, hotcast, TARGET_BYTES, options.idleMinutes);
    }
    if (!wants('restarts')) return;
    say('restarts, and pushes, under a load of calls');
    found.restarts = await measureRestarts(hotcast, project('-plain'), newFolder('plain'));
  };

  const scale = async (): Promise<Results['scale']> => {
    const compared = pushesOf({ push: found.push ?? null }, HOTCAST, TARGET_BYTES);
    const containers = compared === undefined ? [] : [{ nodes, push: compared }];
    if (nodes >= LARGE && nodes < CONTAINERS) {
      // One after the other: idle nodes take their share of the processors too.
      for (const [name, checkout] of Object.entries({
        [HOTCAST]: ROOT,
        ...(against === null ? {} : { [OLDER]: against }),
      })) {
        await using hotcast = await hotcastOf(CONTAINERS, checkout);
        const contenders = [hotcastContender(name, hotcast)];
        const figures = await pushInRounds({ contenders, sizes: [TARGET_BYTES], rounds: EDITS, warmUp: 3 });
        containers.push(...figures.map(each => ({ nodes: CONTAINERS, push: each })));
      }
    }
    const counts = nodes >= LARGE ? SIMULATED : SIMULATED.slice(0, -1);
    say(`${counts.join(', ')} simulated nodes`);
    const programs = await program('scale', 'bench/scale/main.ts');
    return { containers, simulated: await measureScale(project('-scale'), programs, counts, TARGET_BYTES) };
  };

  const machine = await describeMachine(docker, images);
  if (wants('http')) {
    say('HTTP and WebSocket');
    const servers = ['node-server', 'srvx', 'node:http', 'ws'];
    found.http = await measureHttp({
      rounds: HTTP_ROUNDS,
      // `make bench-quick` compares HTTP with another checkout.
      against: null,
      servers,
      image: images.node,
      folder: newFolder('http'),
    });
  }
  if (wants('calls')) {
    say('calls');
    const place = { project: project('-bare'), image: images.node, folder: newFolder('calls') };
    found.calls = await measureCalls({ rounds: CALL_ROUNDS, ...place });
  }
  if (wants('cost', 'push', 'joining', 'edit', 'tail', 'console', 'restarts', 'idle')) await onHotcast();
  if (wants('scale')) found.scale = await scale();
  const nothing = {
    otp: null,
    http: null,
    calls: null,
    joining: null,
    push: null,
    work: null,
    cost: null,
    edit: null,
    tail: null,
    console: null,
    restarts: null,
    scale: null,
    idle: null,
  };
  return { at, machine, nodes, warmUp: WARM_UP, ...nothing, ...found };
}
