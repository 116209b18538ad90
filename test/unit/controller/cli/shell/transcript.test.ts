import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { Report } from '../../../../../controller/src/api/report.ts';
import type { Result } from '../../../../../controller/src/api/results.ts';
import type { CommandBody } from '../../../../../controller/src/cli/definition/command-body.ts';
import { Session } from '../../../../../controller/src/cli/shell/session.ts';
import { runTranscript } from '../../../../../controller/src/cli/shell/transcript.ts';

const REVISION = 'a'.repeat(64);
const names = ['fred', 'bambam', 'betty'];

const presentNodes = names.map(node => ({ ...description(node), status: 'present' as const, group: 'node' }));

function description(node: string) {
  const counts = { pid: 1, startedAt: 0, uptimeSeconds: 1, memoryBytes: 1, loopDelay: 0, rejected: 0 };
  return { node, protocol: 1, container: 'c', ...counts, modules: {}, draining: [], refusals: {} };
}

/** What a controller answers, by the type of the command. */
type Answers = Partial<Record<CommandBody['type'], Report | ((body: CommandBody) => Report)>>;

const result = (value: Result): Report => ({ type: 'result', result: value });
const values = (...json: string[]): Report =>
  result({
    command: 'call',
    call: '',
    single: true,
    stack: true,
    nodes: json.map((each, index) => ({
      node: names[index] ?? 'fred',
      status: 'value' as const,
      json: each,
      revision: REVISION,
      output: [],
    })),
  });
const undef: Report = result({
  command: 'call',
  call: '',
  single: true,
  stack: true,
  nodes: [
    { node: 'fred', status: 'error', failure: 'undef', type: 'undef', message: 'no demo on node fred', output: [] },
  ],
});

/** The transcript of some input, its exit status, and what the controller was asked. */
async function transcriptOf(
  input: string | AsyncIterable<Uint8Array>,
  answers: Answers = {},
  isMarked = false,
  onCall = (): unknown => null,
) {
  const asked: CommandBody[] = [];
  async function* ask(body: CommandBody, _timeoutMs: number, signal: AbortSignal): AsyncGenerator<Report> {
    asked.push(body);
    const listed = body.type === 'nodes' ? result({ command: 'nodes', nodes: presentNodes }) : null;
    const answer = answers[body.type] ?? listed;
    if (answer === null) {
      onCall();
      await sleep(60_000, null, { signal }).catch(() => undefined);
      yield { type: 'failed', code: 'interrupted', message: 'interrupted' };
    } else yield typeof answer === 'function' ? answer(body) : answer;
  }
  const options = { cookie: 'dino', author: 'wilma', timeoutMs: 1_000, colors: false, show: () => undefined };
  const session = new Session({ ...options, ask });
  expect(await session.start(null, AbortSignal.timeout(1_000))).toBe(null);
  const printed: string[] = [];
  const bytes = typeof input === 'string' ? chunksOf(input) : input;
  const print = (text: string): void => void printed.push(text);
  const status = await runTranscript(session, { input: bytes, print, isMarked });
  await session.end();
  return { printed, status, asked: asked.slice(1) };
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  // Lines and letters are cut anywhere.
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
  await Promise.resolve();
}

describe('a transcript', () => {
  it('has each line after its prompt, and what it gave, as in Erlang', async () => {
    const { printed, status } = await transcriptOf('demo:add(1,2).\n\nnodes().\nnode().\nerlang:get_cookie().', {
      call: values('3'),
    });
    expect(printed).toEqual([
      '(fred@dino)1> demo:add(1,2).',
      '3',
      '(fred@dino)2> ',
      '(fred@dino)2> nodes().',
      '[bambam@dino,betty@dino]',
      '(fred@dino)3> node().',
      'fred@dino',
      '(fred@dino)4> erlang:get_cookie().',
      'dino',
    ]);
    expect(status).toBe(0);
  });

  it('joins the lines of one call', async () => {
    const { printed, asked } = await transcriptOf('demo:add(1,\n 2).\n', { call: values('3') });
    expect(printed).toEqual(['(fred@dino)1> demo:add(1,', '|  2).', '3']);
    expect(asked).toMatchObject([{ type: 'call', call: 'demo.add(1, 2)', node: 'fred' }]);
  });

  it('ends at the first error, with the status of the command', async () => {
    const { printed, status } = await transcriptOf('demo:add(1,2).\nnode().\n', { call: undef });
    expect(printed.slice(1)).toEqual(['** exception error: undefined function demo:add/2']);
    expect(status).toBe(1);
  });

  it('ends at a compile error, which it shows as Erlang does', async () => {
    const message = 'demo does not compile\nmodules/demo.ts:3:14: Unexpected ";"';
    const { printed, status } = await transcriptOf('c(demo).\nnode().', {
      compile: { type: 'failed', code: 'compile', message },
    });
    expect(printed).toEqual(['(fred@dino)1> c(demo).', `${message}\nerror`]);
    expect(status).toBe(2);
  });

  it('ends at q().', async () => {
    expect(await transcriptOf('q().\nnode().\n')).toEqual({
      printed: ['(fred@dino)1> q().', 'ok'],
      status: 0,
      asked: [],
    });
  });

  it('fails when the last line goes on', async () => {
    const { printed, status } = await transcriptOf('demo.add(');
    expect(printed.at(-1)).toBe('** the line ends too soon');
    expect(status).toBe(2);
  });

  it('groups equal answers of all nodes', async () => {
    const evaluated = (json: string, index: number) => ({
      node: names[index] ?? 'fred',
      status: 'value' as const,
      json,
      revision: REVISION,
      output: [] as string[],
    });
    const nodes = ['9', '9', '10'].map(evaluated);
    const { printed } = await transcriptOf('.on all\nx.y()\n', {
      evaluate: result({ command: 'evaluate', names: [], nodes }),
    });
    expect(printed).toEqual(['(fred@dino)1> .on all', '(all@dino)2> x.y()', '9  ← 2 nodes\n10  ← betty']);
  });

  it('says which names its earlier lines have declared, and that it ends', async () => {
    const { asked } = await transcriptOf('const x = 1\nx\n', {
      evaluate: result({ command: 'evaluate', names: ['x'], nodes: [] }),
      session: result({ command: 'session', nodes: [] }),
    });
    const [first, second, last] = asked;
    expect(first).toMatchObject({ type: 'evaluate', source: 'const x = 1', node: 'fred', kept: [], author: 'wilma' });
    expect(second).toMatchObject({ type: 'evaluate', source: 'x', kept: ['x'] });
    expect(last).toMatchObject({ type: 'session', hasEnded: true });
    expect(new Set(asked.map(body => 'session' in body && body.session)).size).toBe(1);
  });

  it('does not move to a node that is not there', async () => {
    const { printed, status } = await transcriptOf('.on nobody\n');
    expect(printed.at(-1)).toBe('** there is no node "nobody"; nodes here: fred, bambam, betty');
    expect(status).toBe(2);
  });

  it('ends what runs when its user has gone, and runs no more lines', async () => {
    const input = new PassThrough();
    input.write('demo:wait().\nnode().\n\u0004\n');
    const { printed, status } = await transcriptOf(input, {}, true, () => input.end());
    expect(printed[0]).toBe('(fred@dino)1> demo:wait().');
    expect(printed).toHaveLength(2);
    expect(status).toBe(130);
  });

  it('ends at the mark of setup/hotcast, also without a line end before it', async () => {
    expect(await transcriptOf('node().\u0004\n', {}, true)).toMatchObject({ status: 0 });
    expect(await transcriptOf('node().\n\u0004\n', {}, true)).toMatchObject({ status: 0 });
  });
});
