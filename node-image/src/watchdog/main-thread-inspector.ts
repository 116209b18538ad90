import { once } from 'node:events';
import type { Debugger, Runtime } from 'node:inspector';
import { Session } from 'node:inspector/promises';

import { LOCATE } from './activity-buffer.ts';

/** How many steps are taken from the first place where no module is found: a chain of promises runs in many turns. */
const STEPS = 20;

/** Whose code a thread is in. */
export interface Culprit {
  /** `demo@3f2a9c81b0d4`. */
  readonly script: string;
  /** `modules/demo.ts:4:9`; null when it is not known. */
  readonly where: string | null;
}

/** How the scripts of modules are called. */
const SCRIPT = /^[a-z][a-z0-9-]*@[0-9a-f]{12}$/;

type Frame = Pick<Debugger.CallFrame, 'location'>;

/** A module's script, and a position in it; both counted from 1. */
interface Position {
  readonly script: string;
  readonly position: string;
}

/**
 * The innermost frame of a module. Pure.
 *
 * @param scripts the names of modules' scripts by V8's ids.
 */
export function moduleFrame(frames: readonly Frame[], scripts: ReadonlyMap<string, string>): Position | null {
  for (const { location } of frames) {
    const script = scripts.get(location.scriptId);
    if (script === undefined) continue;
    return { script, position: `${script}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}` };
  }
  return null;
}

/** Looks at the main thread from another one, by V8's inspector: also while it is in an endless loop. */
export class MainThreadInspector implements Disposable {
  readonly #session = new Session();
  readonly #scripts = new Map<string, string>();

  constructor() {
    this.#session.connectToMainThread();
    this.#session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => {
      if (SCRIPT.test(url)) this.#scripts.set(scriptId, url);
    });
  }

  /** Stops the main thread, and says whose code it is in; null when that is nobody's. */
  async culprit(): Promise<Culprit | null> {
    await this.#session.post('Debugger.enable');
    let paused = this.#paused();
    await this.#session.post('Debugger.pause');
    for (let step = 0; step <= STEPS; step += 1) {
      const found = moduleFrame(await paused, this.#scripts);
      if (found !== null) return { script: found.script, where: await this.#locate(found.position) };
      paused = this.#paused();
      await this.#session.post('Debugger.stepInto');
    }
    return null;
  }

  /** Has the main thread let go of all memory that nothing uses. */
  async collectGarbage(): Promise<void> {
    await this.#session.post('HeapProfiler.collectGarbage');
  }

  /** Lets the main thread go on. */
  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  async #paused(): Promise<readonly Frame[]> {
    const [{ params }] = (await once(this.#session, 'Debugger.paused')) as [{ params: Debugger.PausedEventDataType }];
    return params.callFrames;
  }

  async #locate(position: string): Promise<string | null> {
    const expression = `globalThis[Symbol.for('${LOCATE.description}')]?.('${position}')`;
    const evaluated: Runtime.EvaluateReturnType = await this.#session.post('Runtime.evaluate', { expression });
    return typeof evaluated.result.value === 'string' ? evaluated.result.value : null;
  }
}
