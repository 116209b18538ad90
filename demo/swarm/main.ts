// Shows a fleet on three machines, which are simulated on this one, and checks every answer. It removes everything at its end.
import { Machines } from '../../test/support/swarm/machines.ts';
import { Pusher } from '../../test/support/swarm/pusher.ts';
import { Stack } from '../../test/support/swarm/stack.ts';
import { Transcript, WrongAnswer } from '../transcript.ts';

const MACHINES = 3;
const ALL_PRESENT_SECONDS = 300;

/** A push in spite of a lost machine: within this time one is committed. */
const COMMIT_SECONDS = 60;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

async function walk(count: number, log: Transcript): Promise<void> {
  const startedAt = performance.now();
  let last = startedAt;
  /** Says how long a step has taken. */
  const took = (what: string): void => {
    const now = performance.now();
    log.note(`${what} after ${seconds(now - last)}`);
    last = now;
  };
  const step = (title: string): void => {
    last = performance.now();
    log.step(title);
  };

  step(`${MACHINES} machines, each with a Docker engine of its own, and all managers of one swarm`);
  await using machines = await Machines.start(MACHINES);
  log.typed('docker node ls', (await machines.docker(1, 'node', 'ls')).stdout.trimEnd());
  took('they are there');

  step(`Deploy the stack with ${count} nodes`);
  const stack = await Stack.deploy(machines, { nodes: count, atOnce: Math.ceil(count / 10) });
  log.typed('docker stack deploy -c docker-stack.yml -c keys/dino.stack.json -c modules.json hotcast', '');
  took('deployed');
  await stack.settled(ALL_PRESENT_SECONDS);
  log.typed('docker service ls', (await stack.manager('service', 'ls')).trimEnd());
  took('everything runs');
  /** Runs a command of hotcast in the controller, wherever that is. */
  const hotcast = async (...args: string[]): Promise<{ readonly output: string; readonly status: number }> => {
    const { exitCode, stdout, stderr } = await stack.hotcast(...args);
    const output = (stdout + stderr).trimEnd();
    log.typed(`hotcast ${args.join(' ')}`, output);
    return { output, status: exitCode };
  };
  const present = await hotcast('nodes', '--wait', String(count), '--timeout', '60');
  log.check(`${count} nodes`, present.status === 0);

  step('Push a module');
  const first = await hotcast('push', 'demo');
  log.check(`loaded on ${count} nodes`, first.status === 0 && first.output.includes(`${count} loaded`));
  log.check('9 from every node', (await hotcast('call', 'demo.add(4, 5)')).status === 0);

  step('Lose a machine while modules are pushed without a pause');
  const leader = (await machines.leader()) ?? 1;
  const lost = machines.all.find(machine => machine !== leader) ?? MACHINES;
  await using pusher = new Pusher(stack, 'counter');
  await pusher.commits(3, COMMIT_SECONDS);
  const lostAt = performance.now();
  await machines.lose(lost);
  log.note(`machine-${lost} has no power, and machine-${leader} leads the swarm`);
  await pusher.commits(5, COMMIT_SECONDS);
  await pusher.stop();
  log.check(
    `pushes are committed again, after ${seconds(pusher.longestGap(lostAt))} at most without one`,
    pusher.committed.length > 0,
  );
  const moved = await hotcast('nodes', '--wait', String(count), '--timeout', '60');
  log.check(`${count} nodes, on the other machines`, moved.status === 0);
  took('all of that');

  step('Push while it is away');
  const second = await hotcast('push', 'greeter', 'demo', '--force');
  log.check('committed', [0, 3].includes(second.status) && second.output.includes('committed'));

  step('It is back');
  await machines.back(lost);
  await stack.settled(ALL_PRESENT_SECONDS);
  const again = await hotcast('nodes', '--wait', String(count), '--timeout', '60');
  log.check(`${count} nodes`, again.status === 0);
  log.check('every node runs what it should', (await hotcast('status', '--wait', '30')).status === 0);
  took('all is as before');

  step('Update the stack to another release, the nodes one after the other');
  await stack.update({ version: 'second' });
  await stack.settled(ALL_PRESENT_SECONDS);
  log.typed('HOTCAST_VERSION=second docker stack deploy …', '');
  log.check('every node runs what it should', (await hotcast('status', '--wait', '30')).status === 0);
  took('updated');

  step('And back');
  await stack.update();
  await stack.settled(ALL_PRESENT_SECONDS);
  log.typed('HOTCAST_VERSION=first docker stack deploy …', '');
  log.check('every node runs what it should', (await hotcast('status', '--wait', '30')).status === 0);
  took('updated back');

  step('Take everything down');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    Machines.removeAll();
    process.exit(130);
  });
}
const log = new Transcript(line => process.stdout.write(`${line}\n`));
const startedAt = performance.now();
try {
  await walk(Number(process.argv[2] ?? 30), log);
  process.stdout.write(`\nAll ${log.steps} steps passed in ${seconds(performance.now() - startedAt)}.\n`);
} catch (error) {
  if (!(error instanceof WrongAnswer)) throw error;
  process.stderr.write(`\n✗ ${error.message}\n`);
  process.exitCode = 1;
}
