import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import { Recoverable, type REPLServer, start } from 'node:repl';
import { callbackify } from 'node:util';

import type { complete } from './completion.ts';
import type { Session } from './session.ts';

/** Commands of Node's shell that need its own JavaScript context, or the file system. */
const REMOVED = ['load', 'save', 'editor'];

/** The commands with a dot that take the place of Node's, with what they are for. */
const OWN_COMMANDS = {
  help: 'what can be typed',
  on: 'type to another node',
  nodes: 'the nodes',
  status: 'the modules',
  logs: 'what modules print is shown as it happens, or not',
};

/** Receives what a line gave; null: it goes on. */
type OnAnswer = (answer: string | null) => void;

interface PromptOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** The lines of earlier sessions. They are not kept when the folder can't be written. */
  readonly historyFile: string;
  readonly completer: (line: string) => Promise<ReturnType<typeof complete>>;
  /** Receives what writes lines above the one that is typed. */
  readonly onStart: (print: (text: string) => void) => void;
}

/** Runs a shell in a terminal until its user leaves, with the shell of Node.js. */
export async function runPrompt(session: Session, options: PromptOptions): Promise<void> {
  const { input, output } = options;
  let running: AbortController | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  let hasLeft = false;

  /** Null: the line goes on. */
  const run = async (text: string): Promise<string | null> => {
    running = new AbortController();
    // What is typed meanwhile has no prompt yet.
    server.setPrompt('');
    const { text: shown, incomplete, quit } = await session.run(text, running.signal);
    running = null;
    server.setPrompt(session.prompt);
    // How far it came is over.
    if (incomplete !== true) output.write('\r\u001B[K');
    if (incomplete === true) return null;
    if (quit !== true) return shown;
    output.write(`${shown}\n`);
    hasLeft = true;
    server.close();
    return '';
  };
  const answer = async (before: Promise<unknown>, text: string, done: OnAnswer): Promise<void> => {
    await before;
    if (!hasLeft) done(await run(text.replace(/\n$/, '')));
  };
  /** What is typed while a line runs waits for it. */
  const evaluate = (text: string, done: OnAnswer): void => void (queue = answer(queue, text, done));
  const server: REPLServer = start({
    prompt: session.prompt,
    input,
    output,
    terminal: true,
    preview: false,
    ignoreUndefined: true,
    writer: String,
    eval: (text, _context, _file, done) =>
      evaluate(text, shown => {
        if (shown === null) done(new Recoverable(new SyntaxError('the line goes on')), undefined);
        else if (!hasLeft) done(null, shown === '' ? undefined : shown);
      }),
    completer: callbackify(options.completer),
  });
  for (const name of REMOVED) delete (server.commands as Record<string, unknown>)[name];
  for (const [name, help] of Object.entries(OWN_COMMANDS)) {
    const action = (argument: string): void => {
      server.clearBufferedCommand();
      evaluate(`.${name} ${argument}`, shown => {
        if (shown !== null && shown !== '') output.write(`${shown}\n`);
        if (!hasLeft) server.displayPrompt();
      });
    };
    server.defineCommand(name, { help, action });
  }
  const left = new Promise<void>(resolve => {
    server.once('exit', () => {
      hasLeft = true;
      running?.abort();
      resolve();
    });
  });
  // While a line runs, Ctrl+C ends the waiting. Else it does what it does in the shell of Node.js.
  const atPrompt = server.listeners('SIGINT') as (() => void)[];
  server.removeAllListeners('SIGINT').on('SIGINT', () => {
    if (running !== null) running.abort();
    else for (const listener of atPrompt) Reflect.apply(listener, server, []);
  });
  if (isWritable(dirname(options.historyFile))) server.setupHistory(options.historyFile, () => undefined);
  options.onStart(text => {
    moveCursor(output, 0, -server.getCursorPos().rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    output.write(`${text}\n`);
    if ((running === null || server.line !== '') && !hasLeft) server.displayPrompt(true);
  });
  // The terminal has gone.
  process.once('SIGHUP', () => server.close());
  await left;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
