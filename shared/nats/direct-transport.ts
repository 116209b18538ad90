import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

import {
  type ConnectionOptions,
  type NatsConnection,
  NatsConnectionImpl,
  type ProtocolHandler,
  setTransportFactory,
  type Subscription,
} from '@nats-io/transport-node';
import { NodeTransport, nodeResolveHost } from '@nats-io/transport-node/lib/node_transport.js';

import { type Deliver, DirectReader, NEWLINE, type ReceivedMessage } from './direct-reader.ts';

/** The option of a connection with what its transports, one after each reconnect, deliver directly. */
interface DirectOptions extends ConnectionOptions {
  readonly deliveries?: Map<number, Deliver>;
}

/** The largest part of what the server sends that is read at once. */
const READ_BYTES = 64 * 1024;

/**
 * The transport of nats.js, which takes the messages of direct subscriptions out of what the server sends ({@link DirectReader}). Where there
 * is no TLS, it reads without a stream, and it writes without a promise. A connection that has another transport works as well.
 */
class DirectTransport extends NodeTransport {
  /** Null until the server has introduced itself. */
  #reader: DirectReader | null = null;

  override dial(hp: { hostname: string; port: number }): Promise<Socket> {
    const { deliveries, tls } = this.options as DirectOptions;
    return deliveries === undefined || tls ? super.dial(hp) : this.#dialWithoutStream(hp);
  }

  override setupHandlers(): void {
    super.setupHandlers();
    const { deliveries } = this.options as DirectOptions;
    // What has come up to now is for nats.js: the introduction of the server, which is one line.
    if (deliveries === undefined || this.yields.at(-1)?.at(-1) !== NEWLINE) return;
    const reader = new DirectReader(deliveries, bytes => {
      this.yields.push(bytes);
      this.signal.resolve();
    });
    this.#reader = reader;
    this.socket.removeAllListeners('data');
    this.socket.on('data', (chunk: Buffer) => reader.read(chunk, this.yields.length > 0));
  }

  override send(frame: Uint8Array | string): void {
    // What can't be written ends the connection: its socket says so.
    if (!this.isClosed) this.socket?.write(frame);
  }

  /** As nats.js does it, but what the server sends goes through no stream. */
  async #dialWithoutStream({ hostname: host, port }: { hostname: string; port: number }): Promise<Socket> {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (length: number): boolean => {
      const chunk = Buffer.from(buffer.subarray(0, length));
      if (this.#reader === null) socket.emit('data', chunk);
      else this.#reader.read(chunk, this.yields.length > 0);
      return true;
    };
    const socket = createConnection({ host, port, noDelay: true, onread: { buffer, callback } });
    await once(socket, 'connect');
    return socket;
  }
}

/** Opens a connection as nats.js does, which can have direct subscriptions. */
export async function connectDirectly(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new DirectTransport(), dnsResolveFn: nodeResolveHost });
  const direct: DirectOptions = { ...options, deliveries: new Map() };
  return NatsConnectionImpl.connect(direct);
}

/**
 * Subscribes as nats.js does, where messages have to take little of the processor: one is handled as soon as its bytes are there, without a
 * parser, an iterator and promises before. The messages of all subscriptions keep their order. On a connection that was opened otherwise,
 * nats.js delivers them.
 */
export function subscribeDirectly(
  nats: Pick<NatsConnection, 'subscribe'>,
  subject: string,
  handle: (message: ReceivedMessage) => void,
): Subscription {
  const subscription = nats.subscribe(subject, {
    callback: (error, message) => {
      if (error === null) handle(message);
    },
  });
  const { options, protocol } = nats as Partial<NatsConnectionImpl>;
  const deliveries = (options as DirectOptions)?.deliveries;
  if (deliveries === undefined || protocol === undefined) return subscription;
  const id = subscription.getID();
  deliveries.set(id, (message, bytes) => {
    if (subscription.isClosed()) return;
    protocol.inMsgs += 1;
    protocol.inBytes += bytes;
    handle(message);
  });
  void subscription.closed.then(() => deliveries.delete(id));
  return subscription;
}

/**
 * Publishes a text as nats.js does, but at once and with one write, unless something else was published in this turn of the event loop.
 *
 * @param subject has no white space.
 */
export function publishDirectly(nats: Pick<NatsConnection, 'publish'>, subject: string, text: string): void {
  const size = Buffer.byteLength(text);
  const { protocol } = nats as Partial<NatsConnectionImpl>;
  if (protocol === undefined || !canWrite(protocol, size)) return nats.publish(subject, Buffer.from(text));
  protocol.outMsgs += 1;
  protocol.outBytes += size;
  (protocol.transport as DirectTransport).send(`PUB ${subject} ${size}\r\n${text}\r\n`);
}

/** Whether nats.js would write a message now, and nothing before it. */
function canWrite({ transport, connected, noMorePublishing, outbound, info }: ProtocolHandler, size: number): boolean {
  const isOpen = transport instanceof DirectTransport && !transport.isClosed && connected && !noMorePublishing;
  return isOpen && outbound.size() === 0 && info !== undefined && size <= info.max_payload;
}
