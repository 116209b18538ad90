import { once } from 'node:events';
import type { Debugger, Runtime } from 'node:inspector';
import { Session } from 'node:inspector/promises';

import { SOURCE_POSITION } from './activity-buffer.ts';
import { SCRIPT } from './holders.ts';

/** The number of steps after a pause in the node's own code: a chain of promises runs in many turns. */
const MAX_STEPS = 20;

/** The module whose code a thread runs. */
export interface ModuleLocation {
  /** The name of its script: `demo@3f2a9c81b0d4`. */
  readonly script: string;
  /** The position in the source: `modules/demo.ts:4:9`; null when it is not known. */
  readonly source: string | null;
}

type Frame = Pick<Debugger.CallFrame, 'location'>;

/**
 * Finds the innermost frame of a module: its script, and the position in it, with lines and columns counted from 1.
 *
 * @param scripts the names of modules' scripts by V8's ids.
 */
export function moduleFrame(frames: readonly Frame[], scripts: ReadonlyMap<string, string>) {
  for (const { location } of frames) {
    const script = scripts.get(location.scriptId);
    if (script === undefined) continue;
    return { script, position: `${script}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}` };
  }
  return null;
}

/** Inspects the main thread from another thread with V8's inspector, even while it is in an endless loop. */
export class MainThreadInspector implements Disposable {
  readonly #session = new Session();
  readonly #scripts = new Map<string, string>();

  constructor() {
    this.#session.connectToMainThread();
    this.#session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => {
      if (SCRIPT.test(url)) this.#scripts.set(scriptId, url);
    });
  }

  /** Pauses the main thread and finds the module whose code it runs; null when it runs no module's code. */
  async findModule(): Promise<ModuleLocation | null> {
    await this.#session.post('Debugger.enable');
    let paused = this.#paused();
    await this.#session.post('Debugger.pause');
    for (let step = 0; step <= MAX_STEPS; step += 1) {
      const found = moduleFrame(await paused, this.#scripts);
      if (found !== null) return { script: found.script, source: await this.sourceOf(found.position) };
      paused = this.#paused();
      await this.#session.post('Debugger.stepInto');
    }
    return null;
  }

  /** The position in the source for one in a bundle; null when it is not known. */
  async sourceOf(position: string): Promise<string | null> {
    const expression = `globalThis[Symbol.for('${SOURCE_POSITION.description}')]?.('${position}')`;
    const evaluated: Runtime.EvaluateReturnType = await this.#session.post('Runtime.evaluate', { expression });
    return typeof evaluated.result.value === 'string' ? evaluated.result.value : null;
  }

  /** Resumes the main thread. */
  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  async #paused(): Promise<readonly Frame[]> {
    const [{ params }] = (await once(this.#session, 'Debugger.paused')) as [{ params: Debugger.PausedEventDataType }];
    return params.callFrames;
  }
}
