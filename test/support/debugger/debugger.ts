import { once } from 'node:events';
import { SourceMap } from 'node:module';
import type { Server } from 'node:http';
import type { Debugger as Cdp } from 'node:inspector';
import type { AddressInfo } from 'node:net';

import { WebSocketClient } from '../http/websocket-client.ts';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
}

interface Script extends Cdp.ScriptParsedEventDataType {
  readonly map: SourceMap;
}

/** A debugger that knows scripts by their source maps, as VS Code and Chrome do. */
export class Debugger implements Disposable {
  /** The scripts with source maps. */
  readonly #scripts: Script[] = [];
  readonly #socket: WebSocketClient;
  /** The place where the process stands; null while it runs. */
  #place: string | null = null;
  #lastId = 0;

  private constructor(socket: WebSocketClient) {
    this.#socket = socket;
  }

  /** Attaches to the inspector of a server, which it starts at a free port. */
  static async attach(server: Server): Promise<Debugger> {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const targets = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
    const [{ webSocketDebuggerUrl }] = targets as [{ readonly webSocketDebuggerUrl: string }];
    const attached = new Debugger(await WebSocketClient.open(webSocketDebuggerUrl));
    await attached.#request('Debugger.enable');
    return attached;
  }

  /** The text of the first source file of a script, as its source map has it. */
  async source(name: string): Promise<string> {
    return (await this.#script(name)).map.payload.sourcesContent[0] ?? '';
  }

  /** Sets a breakpoint in a script (`demo@3f2a9c81b0d4`), on a line (from 1) of a source file. */
  async breakAt(name: string, file: string, line: number): Promise<void> {
    const script = await this.#script(name);
    for (let generated = script.startLine; generated <= script.endLine; generated += 1) {
      for (let columnNumber = 0; columnNumber < 80; columnNumber += 1) {
        if (placeIn(script, generated, columnNumber) !== `${file}:${line}`) continue;
        const params = { url: script.url, lineNumber: generated, columnNumber };
        await this.#request('Debugger.setBreakpointByUrl', params);
        return;
      }
    }
    throw new Error(`no code of ${script.url} comes from line ${line} of ${file}`);
  }

  /** Waits until the process stands at a breakpoint. Gives the place in the source: `file:///…/demo.ts:4`. */
  async paused(): Promise<string> {
    for (;;) {
      if (this.#place !== null) return this.#place;
      this.#receive(await this.#socket.next());
    }
  }

  async resume(): Promise<void> {
    this.#place = null;
    await this.#request('Debugger.resume');
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #script(name: string): Promise<Script> {
    for (;;) {
      const found = this.#scripts.find(({ url }) => url === name);
      if (found !== undefined) return found;
      this.#receive(await this.#socket.next());
    }
  }

  async #request(method: string, params: object = {}): Promise<void> {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ id, method, params }));
    while (this.#receive(await this.#socket.next()).id !== id);
  }

  #receive(text: string): Message {
    const message = JSON.parse(text) as Message;
    if (message.method === 'Debugger.scriptParsed') this.#keep(message.params as Cdp.ScriptParsedEventDataType);
    if (message.method === 'Debugger.paused') {
      const [top] = (message.params as Cdp.PausedEventDataType).callFrames;
      const script = this.#scripts.find(({ scriptId }) => scriptId === top?.location.scriptId);
      const { lineNumber = 0, columnNumber = 0 } = top?.location ?? {};
      this.#place = (script && placeIn(script, lineNumber, columnNumber)) ?? 'code without a source';
    }
    return message;
  }

  #keep(script: Cdp.ScriptParsedEventDataType): void {
    const [, json] = /^data:application\/json;base64,(.+)$/.exec(script.sourceMapURL ?? '') ?? [];
    if (json === undefined) return;
    const map = JSON.parse(Buffer.from(json, 'base64').toString()) as ConstructorParameters<typeof SourceMap>[0];
    this.#scripts.push({ ...script, map: new SourceMap(map) });
  }
}

/** The place in the source of a position in a script; null when there is none. The first line of a script can have any number. */
function placeIn({ map, startLine }: Script, line: number, column: number): string | null {
  const entry = map.findEntry(line - startLine, column);
  if (!('originalSource' in entry) || entry.generatedLine !== line - startLine) return null;
  return `${entry.originalSource}:${entry.originalLine + 1}`;
}
