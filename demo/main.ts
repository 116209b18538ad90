// Shows the steps of hot code loading in Erlang with Hotcast, on real containers, and checks every answer.
import type { NodesResult } from '../controller/src/api/results.ts';
import { EditedFile } from './edited-file.ts';
import { shell } from './shell.ts';
import { Transcript, WrongAnswer } from './transcript.ts';

const MODULE = 'modules/demo.ts';
const SUM = 'return x + y;';
const BOSS = 'Calculating like a boss!';

// The lines of a push: a line a node, or a line for all nodes that answered the same. And that of a call on all nodes.
const LOADED = /^\S+ +loaded +|^loaded +\d+ nodes /gm;
const NINE = /^9 +← \d+ nodes$/gm;

type Node = Extract<NodesResult['nodes'][number], { status: 'present' }>;

async function presentNodes(): Promise<Node[]> {
  const { output } = await shell('setup/hotcast nodes --json');
  const { nodes } = JSON.parse(output) as NodesResult;
  return nodes.filter(node => node.status === 'present');
}

/** Identifies the processes: two results are equal if containers, process ids and start times are equal. */
function processes(nodes: readonly Node[]): string {
  return nodes.map(({ node, container, pid, startedAt }) => `${node} ${container} ${pid} ${startedAt}`).join('\n');
}

/** Waits up to 10 seconds until the log of a container contains a text. Returns false after that. */
async function printed(container: string, text: string): Promise<boolean> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if ((await shell(`docker logs ${container}`)).output.includes(text)) return true;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return false;
}

/** On how many nodes a line holds: a line names one node, or the number of those that answered the same. */
function nodesWith(output: string, pattern: RegExp): number {
  return (output.match(pattern) ?? []).reduce((sum, line) => sum + Number(/\b(\d+) nodes\b/.exec(line)?.[1] ?? 1), 0);
}

async function walk(count: number, log: Transcript): Promise<void> {
  using file = new EditedFile(MODULE);
  if (!file.original.includes(SUM))
    throw new WrongAnswer(`${MODULE} was edited: restore it with git checkout ${MODULE}`);
  const every = (output: string, pattern: RegExp): boolean => nodesWith(output, pattern) === count;

  log.step(`${count} nodes with the cookie dino`, 'erl -name fred@127.0.0.1 -setcookie dino   (and bambam, betty)');
  await shell('make down');
  // The keys for both cookies exist from the start, because the last step starts a node with the cookie bedrock.
  process.env['COOKIES'] = 'dino bedrock';
  const up = await log.run(`make up NODES=${count}`);
  const before = await presentNodes();
  log.check(`${count} nodes, fred, bambam and betty among them`, up.status === 0 && before.length === count);

  log.step(
    'A module that does not compile: the error is shown, and no node loads it',
    'c(demo).   → demo.erl:4:10: syntax error',
  );
  file.write(file.original.replace(SUM, 'return x + ;'));
  const broken = await log.type('fred', 'c(demo).');
  log.check(
    'the error has file, line and caret',
    /modules\/demo\.ts:3:14: .*\n.*return x \+ ;\n +\^\nerror$/.test(broken.output),
  );
  log.check(
    'no node has the module',
    (await presentNodes()).every(({ modules }) => modules['demo'] === undefined),
  );
  file.restore();

  log.step('Compile the module and load it on fred only', '(fred)1> c(demo).   → {ok,demo}');
  const compiled = await log.type('fred', 'c(demo).');
  log.check('{ok,demo}', compiled.status === 0 && compiled.output.endsWith('\n{ok,demo}'));

  log.step('Call it on fred', '(fred)2> demo:add(1,2).   → 3');
  log.check('3', (await log.type('fred', 'demo:add(1,2).')).output.endsWith('\n3'));

  log.step('The other nodes do not have it yet', '(betty)1> demo:add(4,5).   → ** exception error: undefined function');
  const unknown = await log.type('betty', 'demo:add(4,5).');
  log.check(
    'the same error, and an exit status that says so',
    unknown.status !== 0 && unknown.output.endsWith('\n** exception error: undefined function demo:add/2'),
  );

  log.step('Ping another node, and list the others', "(fred)3> net_adm:ping('betty@127.0.0.1').   → pong,   nodes().");
  const pinged = await log.type('fred', "net_adm:ping('betty@127.0.0.1').", 'nodes().');
  log.check('pong', pinged.output.includes('\npong\n'));
  log.check(`the ${count - 1} other nodes`, pinged.output.split('\n').at(-1)?.split(',').length === count - 1);
  const nodes = await presentNodes();
  const first = nodes.find(({ node }) => node === 'fred')?.modules['demo']?.revision.slice(0, 12) ?? '';
  log.check(`demo@${first} runs on fred only`, nodes.filter(({ modules }) => 'demo' in modules).length === 1);

  log.step('Load it on every node', '(fred)4> nl(demo).   → abcast   (no answer from the nodes)');
  const pushed = await log.type('fred', 'nl(demo).');
  log.check(`loaded on ${count} nodes`, pushed.status === 0 && every(pushed.output, LOADED));

  log.step('Call it on betty, and on every node', '(betty)2> demo:add(4,5).   → 9');
  const called = await log.type('betty', 'demo:add(4,5).', '.on all', 'demo.add(4, 5)');
  log.check('9', called.output.includes('\n9\n'));
  log.check('9 from every node', every(called.output, NINE));

  log.step(
    `Edit the module so that it prints "${BOSS}", and push it`,
    '(fred)5> c(demo), nl(demo).   and demo:add(4,5) everywhere',
  );
  file.write(file.original.replace(SUM, `console.log('${BOSS}');\n  ${SUM}`));
  log.note(`edited ${MODULE}: console.log('${BOSS}');`);
  const boss = await log.type('fred', 'c(demo), nl(demo).', '.on all', 'demo.add(4, 5)');
  log.check(`loaded on ${count} nodes`, boss.status === 0 && every(boss.output, LOADED));
  log.check('9 from every node, with the printed line', every(boss.output, NINE) && /^.*\| Calc/m.test(boss.output));
  const after = await presentNodes();
  const inLogs = await Promise.all(after.map(({ container }) => printed(container, BOSS)));
  log.check('the log of every node has the line', inLogs.every(Boolean));
  log.check('containers, process ids and start times did not change', processes(after) === processes(before));
  log.check(
    'the uptime of every node went on',
    after.every(({ uptimeSeconds }, index) => uptimeSeconds > (before[index]?.uptimeSeconds ?? Infinity)),
  );

  log.step(
    "A module's name must match its file",
    "c(demo) of -module(other)   → Module name 'other' does not match file",
  );
  const misnamed = await log.run('make push MODULE=Demo');
  log.check(
    'the push is refused with the reason',
    misnamed.status !== 0 && misnamed.output.includes('"Demo" is not a module name'),
  );

  log.step(
    'A node with another cookie is not part of the cluster',
    "(mole)1> net_adm:ping('fred@127.0.0.1').   → pang",
  );
  const stranger = await log.run('COOKIE=bedrock docker compose run --detach --rm --no-deps node');
  const container = stranger.output.trim().slice(0, 12);
  try {
    log.check('a node with the cookie bedrock is up', await printed(container, '"ready"'));
    file.restore();
    const third = await log.run('make push MODULE=demo');
    log.check(`loaded on the ${count} nodes with the cookie dino`, third.status === 0 && every(third.output, LOADED));
    log.check('the same source has the same revision as in step 3', third.output.includes(`demo@${first} committed`));
    const heard = (await shell(`docker logs ${container}`)).output;
    log.check('the node with the other cookie received nothing', !heard.includes('loaded'));
    log.check(
      'it is not listed',
      (await presentNodes()).every(node => node.container !== container),
    );
    const asked = await log.run("make call COOKIE=bedrock CALL='demo.add(4, 5)'");
    log.check(
      'a command with its cookie gets no answer from this controller',
      asked.status !== 0 && asked.output.includes('nothing was sent'),
    );
  } finally {
    await shell(`docker stop --time 2 ${container}`);
  }
}

const log = new Transcript(line => process.stdout.write(`${line}\n`));
const startedAt = performance.now();
try {
  await walk(Number(process.argv[2] ?? 3), log);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(`\nAll ${log.steps} steps passed in ${seconds} s. The cluster is still running. Try:
    make shell                           edit modules/demo.ts, then  make push MODULE=demo
    make push MODULE=counter             make call CALL='counter.increment()'
    make up NODES=30                     make nodes      make logs      make down\n`);
} catch (error) {
  if (!(error instanceof WrongAnswer)) throw error;
  process.stderr.write(`\n✗ ${error.message}\n`);
  process.exitCode = 1;
}
