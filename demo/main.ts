// The famous Erlang walk, step by step on real containers; every answer is checked.
import type { NodesResult } from '../controller/src/api/results.ts';
import { EditedFile } from './edited-file.ts';
import { shell } from './shell.ts';
import { Transcript, WrongAnswer } from './transcript.ts';

const MODULE = 'modules/demo.ts';
const SUM = 'return x + y;';
const BOSS = 'Calculating like a boss!';

type Node = Extract<NodesResult['nodes'][number], { status: 'present' }>;

async function presentNodes(): Promise<Node[]> {
  const { output } = await shell('setup/hotcast nodes --json');
  const { nodes } = JSON.parse(output) as NodesResult;
  return nodes.filter(node => node.status === 'present');
}

/** A process is the same when container, process id and start time are. */
function processes(nodes: readonly Node[]): string {
  return nodes.map(({ node, container, pid, startedAt }) => `${node} ${container} ${pid} ${startedAt}`).join('\n');
}

/** Waits until a container has printed a text; gives whether it did within 10 seconds. */
async function printed(container: string, text: string): Promise<boolean> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if ((await shell(`docker logs ${container}`)).output.includes(text)) return true;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return false;
}

async function walk(count: number, log: Transcript): Promise<void> {
  using file = new EditedFile(MODULE);
  if (!file.original.includes(SUM)) throw new WrongAnswer(`${MODULE} is not the seed's (git checkout ${MODULE})`);
  const every = (output: string, pattern: RegExp): boolean => (output.match(pattern) ?? []).length === count;

  log.step(`${count} nodes with the cookie dino`, 'erl -name fred@127.0.0.1 -setcookie dino   (and bambam, betty)');
  await shell('make down');
  // NATS lets in whose keys it knows: those of the stranger too, who comes last.
  process.env['COOKIES'] = 'dino bedrock';
  const up = await log.run(`make up NODES=${count}`);
  const before = await presentNodes();
  log.check(`${count} nodes, fred, bambam and betty among them`, up.status === 0 && before.length === count);

  log.step('A module that does not compile is shown, and loaded nowhere', 'c(demo).   → demo.erl:4:10: syntax error');
  file.write(file.original.replace(SUM, 'return x + ;'));
  const broken = await log.run('make compile MODULE=demo NODE=fred');
  log.check('file, line and caret', /modules\/demo\.ts:3:14: .*\n.*return x \+ ;\n +\^/.test(broken.output));
  log.check(
    'no node has it',
    (await presentNodes()).every(({ modules }) => modules['demo'] === undefined),
  );
  file.restore();

  log.step('Compile it and load it on fred alone', '(fred)1> c(demo).   → {ok,demo}');
  const compiled = await log.run('make compile MODULE=demo NODE=fred');
  const first = /^\{ok, demo, ([0-9a-f]{12})\}$/.exec(compiled.output)?.[1] ?? '';
  log.check('{ok, demo, <revision>}', compiled.status === 0 && first !== '');

  log.step('fred knows the module', '(fred)2> demo:add(1,2).   → 3');
  log.check('3', (await log.run("make call CALL='demo.add(1, 2)' NODE=fred")).output === '3');

  log.step('The others know nothing of it yet', '(betty)1> demo:add(4,5).   → ** exception error: undefined function');
  const unknown = await log.run("make call CALL='demo.add(4, 5)' NODE=betty");
  log.check(
    'undef, which names module and node',
    unknown.status !== 0 && /undef: module demo .*node betty/.test(unknown.output),
  );

  log.step('Are the others there?', "(fred)3> net_adm:ping('betty@127.0.0.1').   → pong,   nodes().");
  log.check('pong', (await log.run('make ping NODE=betty')).output === 'pong');
  const nodes = await log.run('make nodes');
  log.check(
    `${count} nodes, and demo@${first} on fred only`,
    every(nodes.output, /^ *\S+ +[0-9a-f]{12} /gm) && nodes.output.split(`demo@${first}`).length === 2,
  );

  log.step('Load it on every node', '(fred)4> nl(demo).   → abcast   (nothing is known of what arrived)');
  const pushed = await log.run('make push MODULE=demo');
  log.check(`${count} times loaded, by name`, pushed.status === 0 && every(pushed.output, /^\S+ +loaded +/gm));

  log.step('Now every node can add', '(betty)2> demo:add(4,5).   → 9');
  log.check('9 from every node', every((await log.run("make call CALL='demo.add(4, 5)'")).output, /^\S+ +9$/gm));

  log.step(`Edit the module: it says "${BOSS}"`, '(fred)5> c(demo), nl(demo).   and demo:add(4,5) everywhere');
  file.write(file.original.replace(SUM, `console.log('${BOSS}');\n  ${SUM}`));
  log.note(`edited ${MODULE}: console.log('${BOSS}');`);
  const again = await log.run('make push MODULE=demo');
  log.check(`${count} times loaded`, again.status === 0 && every(again.output, /^\S+ +loaded +/gm));
  const boss = await log.run("make call CALL='demo.add(4, 5)'");
  log.check(
    '9 from every node, and what it printed',
    every(boss.output, /^\S+ +9$/gm) && every(boss.output, /\| Calc/g),
  );
  const after = await presentNodes();
  const inLogs = await Promise.all(after.map(({ container }) => printed(container, BOSS)));
  log.check("the line is in every node's own log", inLogs.every(Boolean));
  log.check('same containers, process ids and start times', processes(after) === processes(before));
  log.check(
    'and uptimes went on',
    after.every(({ uptimeSeconds }, index) => uptimeSeconds > (before[index]?.uptimeSeconds ?? Infinity)),
  );

  log.step(
    "A module's name must match its file",
    "c(demo) of -module(other)   → Module name 'other' does not match file",
  );
  const misnamed = await log.run('make push MODULE=Demo');
  log.check('refused with the reason', misnamed.status !== 0 && misnamed.output.includes('"Demo" is no module name'));

  log.step('Whoever has another cookie is a stranger', "(mole)1> net_adm:ping('fred@127.0.0.1').   → pang");
  const stranger = await log.run('COOKIE=bedrock docker compose run --detach --rm --no-deps node');
  const container = stranger.output.trim().slice(0, 12);
  try {
    log.check('a node with the cookie bedrock is up', await printed(container, '"ready"'));
    file.restore();
    const third = await log.run('make push MODULE=demo');
    log.check(`loaded on our ${count} nodes`, third.status === 0 && every(third.output, /^\S+ +loaded +/gm));
    log.check('the same source has the revision of the first time', third.output.includes(`demo@${first} committed`));
    const heard = (await shell(`docker logs ${container}`)).output;
    log.check('the stranger received nothing', !heard.includes('loaded'));
    log.check(
      'and is not listed',
      (await presentNodes()).every(node => node.container !== container),
    );
    const asked = await log.run("make call COOKIE=bedrock CALL='demo.add(4, 5)'");
    log.check('and its cookie gets no answer here', asked.status !== 0 && asked.output.includes('nothing was sent'));
  } finally {
    await shell(`docker stop --time 2 ${container}`);
  }
}

const log = new Transcript(line => process.stdout.write(`${line}\n`));
const startedAt = performance.now();
try {
  await walk(Number(process.argv[2] ?? 3), log);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(`\nAll ${log.steps} steps ticked in ${seconds} s. The cluster is still running. Try:
    make call CALL='demo.add(2, 2)'      edit modules/demo.ts, then  make push MODULE=demo
    make push MODULE=counter             make call CALL='counter.increment()'
    make up NODES=30                     make nodes      make logs      make down\n`);
} catch (error) {
  if (!(error instanceof WrongAnswer)) throw error;
  process.stderr.write(`\n✗ ${error.message}\n`);
  process.exitCode = 1;
}
