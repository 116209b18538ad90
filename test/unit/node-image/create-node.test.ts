import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type * as v from 'valibot';
import { afterAll, describe, expect, it, vi } from 'vitest';

import { freePort } from '../../support/free-port.ts';
import { createNode, type NodeDeps } from '../../../node-image/src/create-node.ts';
import { encodeBundle } from '../../../protocol/bundle.ts';
import { decode, encode } from '../../../protocol/codec.ts';
import { encodeLoadCommand } from '../../../protocol/load-command.ts';
import { makeSigningKey, readSigningKey, trustedKeyFile } from '../../../protocol/signing/keys.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { callAnswer, nodeDescription, pingAnswer } from '../../../protocol/messages.ts';
import { signEnvelope } from '../../../protocol/signing/envelope.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { bundleOf, latch, recordingLog } from '../fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'hotcast-node-'));
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = readSigningKey(makeSigningKey());
writeFileSync(join(folder, 'key.json'), trustedKeyFile(KEY, null));

const subjects = subjectsOf('dino');

/** The part of a NATS connection that a node uses. Requests to the stream fail: the node starts without modules. */
class StandIn {
  readonly published: string[] = [];
  /** Called while the node starts, after its subscriptions and before its modules. */
  onFlush = async (): Promise<void> => undefined;
  readonly #payloads = new Map<string, Uint8Array>();
  readonly #callbacks = new Map<string, (error: null, message: Partial<Msg>) => void>();
  readonly #closed = new AbortController();

  readonly nats = {
    options: {},
    subscribe: (subject: string, { callback }: { callback: () => void }) => {
      this.#callbacks.set(subject, callback);
      return { drain: async () => void this.#callbacks.delete(subject) };
    },
    publish: (subject: string, payload: Uint8Array) => {
      if (this.isClosed) throw new Error('the connection is closed');
      this.published.push(subject);
      this.#payloads.set(subject, payload);
    },
    flush: async () => this.onFlush(),
    drain: async () => this.#closed.abort(),
    close: async () => this.#closed.abort(),
    isClosed: () => this.#closed.signal.aborted,
    status: () => this.#statuses(),
  } as unknown as NatsConnection;

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Loads a module on the node by a signed command. */
  async load(code: string): Promise<void> {
    const subject = subjects.node('fred', 'load');
    const deliver = this.#callbacks.get(subjects.nodeAny('fred'));
    deliver?.(null, { subject: subjects.node('fred', 'ping'), reply: INBOX, data: encode({}) });
    await Promise.resolve();
    const { processId = '' } = this.payload(pingAnswer, `${INBOX}.fred`);
    const packed = encodeBundle(bundleOf('demo', code));
    const payload = encodeLoadCommand({ processId, id: randomUUID(), packed });
    deliver?.(null, { subject, data: signEnvelope(KEY, subject, payload) });
  }

  /** The last message on a subject. */
  payload<TSchema extends v.GenericSchema>(schema: TSchema, subject: string): v.InferOutput<TSchema> {
    return decode(schema, this.#payloads.get(subject) ?? new Uint8Array());
  }

  /** Calls a function of a module; false when the node does not take calls. */
  call(module: string, name: string, inbox: string): boolean {
    const subject = subjects.node('fred', 'call');
    const deliver = this.#callbacks.get(subjects.nodeAny('fred'));
    deliver?.(null, { subject, reply: inbox, data: encode({ module, function: name, args: [] }) });
    return deliver !== undefined;
  }

  /** Has no status, and ends with the connection. */
  #statuses(): AsyncIterable<never> {
    const next = async (): Promise<IteratorResult<never>> => {
      if (!this.isClosed) await once(this.#closed.signal, 'abort');
      return { done: true, value: undefined };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }
}

/** A module that opens what a version can open. */
const MODULE = `
  setInterval(() => {}, 3_600_000);
  setTimeout(() => {}, 3_600_000).unref();
  process.on('SIGTERM', () => {});
  process.on('uncaughtException', () => {});
  for (let line = 0; line < 1_000; line += 1) console.log('0123456789');
`;

function depsOf(nats: NatsConnection, httpPort: number): NodeDeps {
  return {
    nats,
    identity: { name: 'fred', container: 'c1' },
    log: recordingLog(),
    watchdogScript: new URL('data:text/javascript,setInterval(() => {}, 1_000)'),
    cookie: 'dino',
    trustDir: folder,
    healthFile: join(folder, 'health'),
    stateDir: join(folder, 'state'),
    externalDir: join(folder, 'external'),
    httpPort,
    metricsPort: 0,
    purgeTimeoutMs: 3_000,
    codeChangeTimeoutMs: 500,
    maxDrainingVersions: 8,
    maxDrainingMemoryPercent: 70,
    stopTimeoutMs: 8_000,
    eventLoopTimeoutMs: 5_000,
    memoryLimitMb: 512,
    logMaxCharsPerSecond: 100,
  };
}

/** The files of these tests that the process has open. Another thread of it, with other tests, opens and closes others. */
function openFiles(): string[] {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').flatMap(descriptor => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      // It was closed meanwhile.
      return [];
    }
  });
}

/** What a process has open. */
function opened() {
  const listeners = process.eventNames().map(event => [event, process.listenerCount(event)] as const);
  return {
    resources: process.getActiveResourcesInfo().toSorted(),
    listeners: Object.fromEntries(listeners.filter(([, count]) => count > 0)),
    files: openFiles(),
    globals: Reflect.ownKeys(globalThis).length,
  };
}

/** What is open now and was not before. A thread of Vitest can still close something of its other files. */
function leftOver(before: ReturnType<typeof opened>) {
  const now = opened();
  const resources = [...before.resources];
  return {
    resources: now.resources.filter(each => {
      const index = resources.indexOf(each);
      if (index !== -1) resources.splice(index, 1);
      return index === -1;
    }),
    listeners: Object.entries(now.listeners).filter(([event, count]) => count > (before.listeners[event] ?? 0)),
    files: now.files.filter(file => !before.files.includes(file)),
    globals: Math.max(0, now.globals - before.globals),
  };
}

const NOTHING = { resources: [], listeners: [], files: [], globals: 0 };

/** A module that tells what happens to it, with a call that waits for what the test opens and one that never ends. */
const STOPPED = `
  const { signal, dispose } = __hotcast_hot;
  signal.addEventListener('abort', () => globalThis.__events.push('signal'));
  dispose(async () => { await null; globalThis.__events.push('dispose'); });
  exports.wait = async () => { await globalThis.__opened; globalThis.__events.push('call ended'); return 7; };
  exports.forever = () => new Promise(() => {});
`;
const INBOX = '_INBOX.controller.a1';

const ANSWER = `${INBOX}.fred`;
const GOODBYE = subjects.event('fred', 'goodbye');

/** A started node with a module; `events` has the subjects that the node publishes from now on, and what the module tells. */
async function nodeWith(code: string, stopTimeoutMs: number) {
  const standIn = new StandIn();
  const port = await freePort();
  const { opened: awaited, open } = latch();
  const events = standIn.published;
  Object.assign(globalThis, { __events: events, __opened: awaited });
  const log = recordingLog();
  const node = await createNode({ ...depsOf(standIn.nats, port), stopTimeoutMs, log });
  await standIn.load(code);
  events.length = 0;
  return { standIn, port, node, open, events, log };
}

describe('a node that stops', () => {
  it('says that it leaves, takes no new calls, ends those in flight, then its versions, then its connection', async () => {
    const { standIn, node, open, events } = await nodeWith(STOPPED, 60_000);
    standIn.call('demo', 'wait', INBOX);
    const stopped = node[Symbol.asyncDispose]().then(() => events.push(`closed: ${standIn.isClosed}`));
    await expect.poll(() => events).toEqual([GOODBYE]);
    expect(standIn.call('demo', 'wait', INBOX)).toBe(false);
    expect(standIn.payload(nodeDescription, GOODBYE)).toMatchObject({ leavesWithinMs: 60_000 });
    open();
    await stopped;
    expect(events).toEqual([GOODBYE, 'call ended', ANSWER, 'signal', 'dispose', GOODBYE, 'closed: true']);
    expect(standIn.payload(nodeDescription, GOODBYE)).toMatchObject({ hasEnded: true });
  });

  it('cuts a call that does not end after half of its time, and answers it', async () => {
    const { standIn, node, events, log } = await nodeWith(STOPPED, 400);
    standIn.call('demo', 'forever', INBOX);
    const startedAt = performance.now();
    await node[Symbol.asyncDispose]();
    expect(performance.now() - startedAt).toBeGreaterThan(190);
    expect(events.toSorted()).toEqual([ANSWER, 'dispose', GOODBYE, GOODBYE, 'signal']);
    expect(standIn.payload(callAnswer, ANSWER)).toMatchObject({
      status: 'error',
      message: 'demo ended while the call ran, because the node stopped',
    });
    expect(log.logged).toContainEqual(expect.objectContaining({ message: 'stopped with unfinished calls' }));
  });

  it('is held by no connection without a request', async () => {
    const { port, node } = await nodeWith(STOPPED, 60_000);
    const silent = connect(port, '127.0.0.1').resume();
    const idle = connect(port, '127.0.0.1');
    idle.write('GET / HTTP/1.1\r\nhost: node\r\n\r\n');
    await Promise.all([once(silent, 'connect'), once(idle, 'data')]);
    const closed = Promise.all([once(silent, 'close'), once(idle, 'close')]);
    const startedAt = performance.now();
    await node[Symbol.asyncDispose]();
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    await closed;
  });

  it('is held by no dispose callback, and by no NATS server that does not answer', async () => {
    const hanging = `__hotcast_hot.dispose(() => new Promise(() => {})); exports.nothing = 1;`;
    const { standIn, node, log } = await nodeWith(hanging, 400);
    const never = (): Promise<never> => new Promise(() => undefined);
    Object.assign(standIn.nats, { drain: never });
    const startedAt = performance.now();
    await node[Symbol.asyncDispose]();
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(standIn.isClosed).toBe(true);
    expect(log.logged.at(-1)).toMatchObject({
      fields: { err: { message: expect.stringMatching(/^dispose took longer than \d+ ms$/) } },
    });
  });
});

describe('a node', () => {
  it('serves and publishes heartbeats until it is disposed, and then publishes a goodbye', async () => {
    const standIn = new StandIn();
    const port = await freePort();
    const node = await createNode(depsOf(standIn.nats, port));
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.end();
    expect(existsSync(join(folder, 'health'))).toBe(true);
    expect(standIn.published).toEqual([subjects.event('fred', 'heartbeat')]);
    await node[Symbol.asyncDispose]();
    expect(standIn.published).toEqual([subjects.event('fred', 'heartbeat'), GOODBYE, GOODBYE]);
    expect(existsSync(join(folder, 'health'))).toBe(false);
    expect(standIn.isClosed).toBe(true);
  });

  it('leaves nothing open when it is disposed', async () => {
    const cycle = async (isConnected: boolean): Promise<void> => {
      const standIn = new StandIn();
      const port = await freePort();
      const node = await createNode(depsOf(standIn.nats, port));
      await standIn.load(MODULE);
      await standIn.load(`${MODULE} // Another version, so that the data before it is kept.`);
      expect(opened().listeners).toMatchObject({ SIGTERM: 1 });
      const idle = connect(port, '127.0.0.1').resume();
      const closed = once(idle, 'close');
      await once(idle, 'connect');
      if (!isConnected) idle.end();
      await node[Symbol.asyncDispose]();
      await closed;
    };
    await cycle(true);
    const before = opened();
    for (let count = 0; count < 8; count += 1) await cycle(false);
    await expect.poll(() => leftOver(before)).toEqual(NOTHING);
  });

  it('leaves no timer when it is disposed, not even one that does not keep the process alive', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    try {
      const standIn = new StandIn();
      const node = await createNode(depsOf(standIn.nats, 0));
      await standIn.load(MODULE);
      // Watchdog, heartbeat, dropped lines, the garbage of the load, old packages, and two timers of the module.
      expect(vi.getTimerCount()).toBe(7);
      await node[Symbol.asyncDispose]();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('holds its port while its modules load', async () => {
    const standIn = new StandIn();
    const port = await freePort();
    let fault: unknown = null;
    standIn.onFlush = async () => {
      standIn.onFlush = async () => undefined;
      fault = await once(createServer().listen(port), 'listening').catch((error: unknown) => error);
    };
    const node = await createNode(depsOf(standIn.nats, port));
    expect(fault).toMatchObject({ code: 'EADDRINUSE' });
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.end();
    await node[Symbol.asyncDispose]();
  });

  it('leaves nothing open when it can not start', async () => {
    const occupied = createServer().listen(0);
    await once(occupied, 'listening');
    const { port } = occupied.address() as AddressInfo;
    const before = opened();
    const standIn = new StandIn();
    await expect(createNode(depsOf(standIn.nats, port))).rejects.toThrow(
      new UsageError(`port ${port} is taken: set HTTP_PORT to a free port, or stop what listens on it`),
    );
    expect(standIn.published).toEqual([]);
    await expect.poll(() => leftOver(before)).toEqual(NOTHING);
    expect(standIn.isClosed).toBe(true);
    await new Promise(resolve => occupied.close(resolve));
  });
});
