import type { SimulatedFleet } from './simulated-fleet.ts';

const DEMO = [
  "import { total } from 'hot:counter';",
  '',
  '/** Adds two numbers. */',
  'export function add(a: number, b: number): number {',
  '  return a + b;',
  '}',
  '',
  'export function label(): string {',
  '  return `sum ${total()}`;',
  '}',
  '',
].join('\n');

/** Thirty nodes with a few modules, on which something can be made to happen. */
export async function startScene(fleet: SimulatedFleet) {
  await fleet.add(30);
  await fleet.push('demo', DEMO, { author: 'fred', message: 'First demo' });
  for (const module of ['counter', 'web', 'ticker', 'greeter', 'payments', 'search'])
    await fleet.push(module, `export const name = '${module}';\n`, { author: 'betty', message: `Start ${module}` });
  const boss = DEMO.replace('  return a', "  console.log('Calculating like a boss!');\n  return a");
  const git = { commit: '0123456789abcdef', dirty: false };
  const said = { author: 'wilma', message: 'Print what a boss prints', git };
  const revision = (await fleet.push('demo', boss, said)).revision ?? '';
  const quiet = new Set<string>();
  await fleet.beat();
  fleet.beatOn(quiet);
  const names = [...fleet.nodes.keys()];

  /** A push, which stops when 18 of 30 nodes have loaded it. */
  async function push(look: () => Promise<void>): Promise<void> {
    const change = crypto.randomUUID();
    const why = { message: 'Round half to even', git };
    const phase = (name: string, answered: number, nodes: string[]) =>
      fleet.progress({ step: 'phase', change, phase: name, answered, expected: 30, nodes });
    fleet.progress({ step: 'started', change, command: 'push', author: 'wilma', modules: ['demo'], ...why });
    phase('compile', 30, []);
    phase('prepare', 30, names);
    phase('commit', 18, names.slice(0, 18));
    await look();
    const next = await fleet.store('demo', DEMO.replace('a + b', 'Math.round(a + b)'));
    const head = await fleet.writeHead('demo', next, { push: change, ...why });
    fleet.load(head);
    phase('commit', 30, names.slice(18));
    const modules = [{ module: 'demo', revision: next }];
    const nodes = { loaded: names };
    const times = { compile: 310, prepare: 60, write: 4, commit: 38, skew: 9 };
    const outcome = 'committed';
    fleet.progress({ step: 'ended', change, modules, outcome, detail: '', ms: 412, times, refusals: {}, nodes });
    await fleet.audit(head, { author: 'wilma', ...why }, 'push', 'committed', '30 loaded');
  }

  /** Pushes of the last hour, and calls, requests and errors of the last minute. */
  async function past(): Promise<void> {
    const phases = (index: number) => ({
      compile: 180 + ((index * 37) % 90),
      prepare: 40 + ((index * 13) % 30) + (index === 14 ? 700 : 0),
      write: 4,
      commit: 22 + ((index * 7) % 25),
    });
    for (let index = 0; index < 24; index += 1) {
      const change = crypto.randomUUID();
      const modules = [{ module: index % 3 === 0 ? 'web' : 'demo', revision }];
      const [times, refusals, nodes] = [phases(index), {}, { loaded: names }];
      const ms = Math.round(Object.values(times).reduce((sum, each) => sum + each, 0));
      fleet.progress({ step: 'started', change, command: 'push', author: 'wilma', modules: [] });
      const outcome = index === 14 ? 'reverted' : 'committed';
      fleet.progress({ step: 'ended', change, modules, outcome, detail: '', ms, times, refusals, nodes });
    }
    await fleet.beat();
    fleet.call('demo', 120, 2, names.slice(0, 4));
    fleet.call('search', 60, 1, names.slice(2, 3));
    fleet.request('web', 40);
    await fleet.beat();
  }

  /** Nodes that are silent, refuse, or are kept off a revision, and errors. */
  async function trouble(): Promise<void> {
    quiet.add('wilma');
    fleet.say('pebbles', 'stalled');
    const detail = "TypeError: Cannot read properties of undefined (reading 'port')";
    fleet.change('betty', () => ({ refusals: { web: { sequence: 99, reason: 'on_load_failure', detail } } }));
    const search = fleet.nodes.get('fred')?.modules['search']?.revision ?? '';
    const ban = {
      revision: search,
      instead: null,
      cause: 'stalled',
      detail: 'it blocked the event loop for 5.2 s',
    } as const;
    const banned = await fleet.writeHead('search', search, { keptOff: [{ node: 'gus', at: Date.now(), ...ban }] });
    fleet.load(
      banned,
      names.filter(name => name !== 'gus'),
    );
    fleet.call('demo', 40, 3, ['fred', 'dino']);
    const error = {
      type: 'RangeError',
      message: 'half of 3 is no whole number',
      stack:
        'RangeError: half of 3 is no whole number\n    at add (modules/demo.ts:5:9)\n    at total (modules/counter.ts:12:3)',
    };
    fleet.errors.set('fred/demo', {
      node: 'fred',
      revisions: [{ revision, errors: [{ at: Date.now(), count: 3, where: 'demo.add', error }] }],
    });
    fleet.owned.set('fred', {
      [`demo@${revision.slice(0, 12)}`]: { timers: 3, sockets: 1 },
      [`ticker@${fleet.nodes.get('fred')?.modules['ticker']?.revision.slice(0, 12)}`]: { timers: 1, sockets: 0 },
    });
    fleet.change('fred', ({ modules }) => ({
      draining: [
        {
          module: 'web',
          revision: (modules['web']?.revision ?? '').replace(/^.{4}/, 'ab12'),
          since: Date.now(),
          ageMs: 62_000,
          inFlight: 2,
          heldBy: 'GET /web/events',
        },
      ],
    }));
    const back = {
      push: crypto.randomUUID(),
      module: 'ticker',
      revision: fleet.nodes.get('fred')?.modules['ticker']?.revision ?? null,
    };
    await fleet.audit(back, { author: 'hotcast' }, 'rollback (canary)', 'committed', '3 errors in 20 calls on fred');
    await fleet.audit(
      { ...back, push: crypto.randomUUID() },
      { author: 'barney', message: 'Take the new driver' },
      'push',
      'refused',
      'nothing changed on any node; 1 refused, 29 prepared',
    );
    await fleet.beat(names.filter(name => !quiet.has(name)));
  }

  return { revision, quiet, push, past, trouble };
}
