import { randomUUID } from 'node:crypto';

import type { Report } from '../api/report.ts';
import type { Result } from '../api/results.ts';
import type { CommandBody } from './definition/command-body.ts';

const KEYS = 'keys: r push all, b roll back what was pushed last, s status, l logs on or off, q quit';

/** Who listens to the reports of a command. `onlyLooks`: it changes nothing, so nobody has to know of its interruption. */
export interface Listener {
  readonly onReport?: (report: Report) => void;
  readonly onlyLooks?: boolean;
}

/** Sends a command and shows its reports, until the signal is aborted. Resolves with the exit status. */
type Show = (body: CommandBody, signal: AbortSignal, listener: Listener) => Promise<number>;

interface DevKeysDeps {
  readonly author: string;
  /** Whether type errors stop a push. */
  readonly strict: boolean;
  readonly show: Show;
  readonly say: (line: string) => void;
  /** Ends `dev`. */
  readonly quit: () => void;
}

/** Runs `hotcast dev` with its keys. Resolves with the exit status. */
export async function devWithKeys(
  body: Extract<CommandBody, { readonly type: 'dev' }>,
  {
    readKeys,
    interrupted,
    ...deps
  }: Pick<DevKeysDeps, 'author' | 'show' | 'say'> & {
    readonly readKeys: (onKey: (key: string) => void) => void;
    readonly interrupted: AbortSignal;
  },
): Promise<number> {
  const quit = new AbortController();
  await using keys = new DevKeys({ ...deps, strict: body.strict, quit: () => quit.abort() });
  readKeys(key => keys.press(key));
  deps.say(KEYS);
  const signal = AbortSignal.any([interrupted, quit.signal]);
  const status = await deps.show(body, signal, { onReport: report => keys.observe(report) });
  return quit.signal.aborted ? 0 : status;
}

/** The keys of `hotcast dev`. Each sends a command of its own, as a user would in another terminal. */
export class DevKeys implements AsyncDisposable {
  readonly #deps: DevKeysDeps;
  /** The modules of the last push that wrote heads, and that was not rolled back. */
  #last: readonly string[] = [];
  /** Ends what a key has started. */
  readonly #ended = new AbortController();
  #running: Promise<unknown> | null = null;
  #logs: AbortController | null = null;

  constructor(deps: DevKeysDeps) {
    this.#deps = deps;
  }

  /** Remembers what was pushed: by a save, or by a key. */
  observe(report: Report): void {
    const result = report.type === 'saved' || report.type === 'result' ? report.result : null;
    if (result?.command !== 'push' || result.outcome !== 'committed') return;
    this.#last = result.modules.map(({ module }) => module).filter(module => !result.unchanged.includes(module));
  }

  press(key: string): void {
    const { say, quit } = this.#deps;
    switch (key) {
      case 'r':
        return this.#pushAll();
      case 'b':
        return this.#rollBack();
      case 's':
        return this.#run({ type: 'status', waitMs: 0 });
      case 'l':
        return this.#toggleLogs();
      case 'q':
        return quit();
      default:
        return say(KEYS);
    }
  }

  /** Ends what the keys have started, and waits until it is shown what holds of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    this.#logs?.abort();
    await this.#running;
  }

  #pushAll(): void {
    const { author, strict } = this.#deps;
    const how = { force: false, check: strict, dryRun: false, canary: null };
    this.#run({ type: 'push', modules: 'all', author, change: randomUUID(), ...how });
  }

  #rollBack(): void {
    const { author, say } = this.#deps;
    const modules = [...this.#last];
    if (modules.length === 0) return say('nothing was pushed since the start, or since the last rollback');
    const sent = this.#last;
    this.#run({ type: 'rollback', modules, author, change: randomUUID(), to: null }, result => {
      const isBack = result.command === 'rollback' && result.outcome === 'committed';
      // A save can have come meanwhile.
      if (isBack && this.#last === sent) this.#last = [];
    });
  }

  /** A fault in the command of a key ends that command only. */
  readonly #say = (error: unknown): void => this.#deps.say(`hotcast: ${String(error)}`);

  #toggleLogs(): void {
    const { say, show } = this.#deps;
    if (this.#logs !== null) {
      this.#logs.abort();
      this.#logs = null;
      return say('logs are off');
    }
    const logs = (this.#logs = new AbortController());
    const all = { modules: [], node: null, level: 'info', grep: '' } as const;
    void show({ type: 'tail', ...all }, logs.signal, { onlyLooks: true })
      .catch(this.#say)
      .finally(() => {
        if (this.#logs === logs) this.#logs = null;
      });
  }

  /** Runs one command at a time: two pushes would only hold each other up. */
  #run(body: CommandBody, onResult: (result: Result) => void = () => undefined): void {
    const { say, show } = this.#deps;
    if (this.#running !== null) return say('the command of the last key still runs');
    const onReport = (report: Report): void => {
      this.observe(report);
      if (report.type === 'result') onResult(report.result);
    };
    const onlyLooks = body.type === 'status';
    this.#running = show(body, this.#ended.signal, { onReport, onlyLooks })
      .catch(this.#say)
      .finally(() => (this.#running = null));
  }
}
