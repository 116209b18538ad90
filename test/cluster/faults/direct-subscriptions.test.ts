import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, describe, expect, it } from 'vitest';

import { makeCertificate } from '../../../controller/src/services/keygen/certificate.ts';
import { connectDirectly, publishDirectly, subscribeDirectly } from '../../../shared/nats/direct-transport.ts';
import { CONNECTION_OPTIONS } from '../../../shared/nats/options.ts';
import { NatsServer } from '../../support/console/nats-server.ts';

const ACCOUNTS = 'accounts { A { users: [{ user: a, password: a }] } }';
const SIZES = [0, 10, 10_000, 300_000];

const folder = mkdtempSync(join(tmpdir(), 'hotcast-direct-'));
const authority = join(folder, 'ca.pem');

afterAll(() => rmSync(folder, { recursive: true }));

/** The lines of a server's configuration for TLS, whose authority is in a file then. */
async function tlsConfig(): Promise<string[]> {
  const made = await makeCertificate(['localhost']);
  const [certificate, key] = [join(folder, 'server.pem'), join(folder, 'key.pem')];
  writeFileSync(authority, made.authority);
  writeFileSync(certificate, made.certificate);
  writeFileSync(key, made.privateKey);
  return [`tls { cert_file: "${certificate}", key_file: "${key}" }`];
}

describe.each(['without TLS', 'with TLS'])('a connection with direct subscriptions, %s', how => {
  const isTls = how === 'with TLS';
  const optionsFor = ({ port }: NatsServer) => {
    const servers = `nats://localhost:${port}`;
    const tls = isTls ? { tls: { caFile: authority } } : {};
    return { ...CONNECTION_OPTIONS, reconnectJitterTLS: 100, servers, user: 'a', pass: 'a', ...tls };
  };
  const start = async () => NatsServer.start(ACCOUNTS, isTls ? await tlsConfig() : []);

  /** Collects what two subscriptions get, of which nats.js delivers one, until a message says `end`. */
  function collect(nats: NatsConnection) {
    const got: string[] = [];
    const ended = new EventEmitter();
    const take = ({ subject, data, headers }: Parameters<Parameters<typeof subscribeDirectly>[2]>[0]): void => {
      const text = Buffer.from(data).toString();
      if (text === 'end') ended.emit('end');
      else got.push(`${subject} ${headers?.get('A') ?? ''} ${text.length}`);
    };
    const direct = subscribeDirectly(nats, 'direct.*', take);
    nats.subscribe('other', { callback: (_, message) => take(message) });
    return {
      direct,
      untilEnd: async (): Promise<string[]> => {
        await once(ended, 'end');
        return got.splice(0);
      },
    };
  }

  function send(nats: NatsConnection): string[] {
    const sent: string[] = [];
    for (const size of [...SIZES, ...SIZES]) {
      for (const subject of ['direct.a', 'other', 'direct.b']) {
        nats.publish(subject, 'x'.repeat(size));
        sent.push(`${subject}  ${size}`);
      }
    }
    nats.publish('direct.a', 'end');
    return sent;
  }

  it('gets messages in their order, also after the server has restarted', async () => {
    await using server = await start();
    const nats = await connectDirectly(optionsFor(server));
    const sender = await connectDirectly(optionsFor(server));
    const { direct, untilEnd } = collect(nats);
    await nats.flush();
    const before = send(sender);
    expect(await untilEnd()).toEqual(before);
    const again = [nats, sender].map(async each => {
      for await (const { type } of each.status()) if (type === 'reconnect') return;
    });
    await server.stop();
    await server.resume();
    await Promise.all(again);
    await nats.flush();
    const sent = send(sender);
    expect(await untilEnd()).toEqual(sent);
    expect(nats.stats().inMsgs).toBe(2 * (sent.length + 1));
    // nats.js counts what it has delivered itself: none of this.
    const received = direct.getReceived();
    sender.publish('direct.a', 'end');
    await untilEnd();
    expect(direct.getReceived()).toBe(received);
    await Promise.all([nats.close(), sender.close()]);
  });

  it('publishes in order, whatever nats.js has not sent yet, and nothing any more when it is closed', async () => {
    await using server = await start();
    const nats = await connectDirectly(optionsFor(server));
    const { untilEnd } = collect(nats);
    publishDirectly(nats, 'other', 'ä');
    nats.publish('other', 'xx');
    publishDirectly(nats, 'other', 'xxx');
    await nats.flush();
    publishDirectly(nats, 'other', 'xxxx');
    publishDirectly(nats, 'direct.a', 'end');
    expect(await untilEnd()).toEqual(['other  1', 'other  2', 'other  3', 'other  4']);
    const { max_payload: max = 0 } = nats.info ?? {};
    expect(() => publishDirectly(nats, 'other', 'x'.repeat(max + 1))).toThrow('max_payload');
    await nats.drain();
    expect(() => publishDirectly(nats, 'other', 'x')).toThrow('closed');
  });

  it('delivers until a subscription has drained, and nothing after it', async () => {
    await using server = await start();
    const nats = await connectDirectly(optionsFor(server));
    let count = 0;
    const subscription = subscribeDirectly(nats, 'direct', () => (count += 1));
    await nats.flush();
    for (let sent = 0; sent < 10; sent += 1) publishDirectly(nats, 'direct', 'x');
    await subscription.drain();
    expect([count, subscription.getReceived()]).toEqual([10, 0]);
    publishDirectly(nats, 'direct', 'x');
    await nats.flush();
    expect(count).toBe(10);
    await nats.close();
  });
});
