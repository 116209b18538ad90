import { SOURCE_MAP_KEY } from '../../shared/module-script.ts';
import { announcedScript, isModuleScript, moduleMapUrl, withSourceMapUrl } from './source-maps.ts';

/** The ids of the relay's own requests. Debuggers count theirs from 1, and V8 takes 31 bits. */
const FIRST_ID = 2_000_000_000;

/** The beginning of an answer to a request of the relay, as V8 writes it. */
const OWN_ANSWER = /^\{"id":(2\d{9}),/;

/** Where a debugger finds the sources. */
export interface Sources {
  /** The folder of the modules on this host. */
  readonly modulesDir: string;
  /** The URLs of the source maps of other scripts, by the URLs of the scripts. */
  readonly programMaps: ReadonlyMap<string, string>;
}

interface Ends {
  readonly toDebugger: (message: string) => void;
  readonly toInspector: (message: string) => void;
}

/**
 * Relays the messages of an inspector to a debugger, and puts the URL of its source map into each message that announces a
 * script. A node keeps the maps of modules packed beside their code, so V8 does not know them: the relay asks the node.
 * Returns what takes the messages of the inspector.
 */
export function relay({ toDebugger, toInspector }: Ends, sources: Sources): (message: string) => void {
  const questions = new Map<string, (answer: string) => void>();
  let nextId = FIRST_ID;
  /** Settles when all messages before have been passed on: they keep their order. */
  let passedOn = Promise.resolve();

  const ask = (expression: string): Promise<string> => {
    const id = nextId++;
    // Breakpoints and exceptions in the node's answer do not concern the debugger.
    const params = { expression, returnByValue: true, silent: true, disableBreaks: true };
    toInspector(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
    return new Promise(resolve => questions.set(String(id), resolve));
  };
  const mapUrl = async (script: string): Promise<string | null> => {
    if (!isModuleScript(script)) return sources.programMaps.get(script) ?? null;
    const packed = valueOf(await ask(`globalThis[Symbol.for('${SOURCE_MAP_KEY}')]?.('${script}')`));
    return packed === null ? null : moduleMapUrl(packed, sources.modulesDir);
  };
  const withMap = async (message: string, script: string): Promise<string> => {
    try {
      const url = await mapUrl(script);
      return url === null ? message : withSourceMapUrl(message, url);
    } catch {
      // A map that does not unpack: the debugger shows the compiled code.
      return message;
    }
  };
  return message => {
    const id = OWN_ANSWER.exec(message)?.[1];
    if (id !== undefined) {
      questions.get(id)?.(message);
      questions.delete(id);
      return;
    }
    const script = announcedScript(message);
    // The questions about several scripts are sent at once.
    const next = script === null ? message : withMap(message, script);
    passedOn = passedOn.then(async () => toDebugger(await next));
  };
}

/** The text that an expression gave; null for another value. */
function valueOf(answer: string): string | null {
  const { result } = JSON.parse(answer) as { readonly result?: { readonly result?: { readonly value?: unknown } } };
  const value = result?.result?.value;
  return typeof value === 'string' ? value : null;
}
