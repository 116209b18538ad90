import { gzipSync } from 'node:zlib';

import { headers, type Msg, type MsgCallback, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { bundlePreparer } from '../../../../node-image/src/cluster/prepare-bundle.ts';
import { createReconciler } from '../../../../node-image/src/cluster/reconciler.ts';
import { handleRequests } from '../../../../node-image/src/cluster/request-handlers.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { unpackArchive } from '../../../../node-image/src/packages/unpack-archive.ts';
import { type Bundle, encodeBundle } from '../../../../protocol/bundle.ts';
import { DecodeError } from '../../../../protocol/errors.ts';
import { archiveHashOf, encodeArchive } from '../../../../protocol/packages.ts';
import { ANSWER_TO, subjectsOf } from '../../../../protocol/subjects.ts';
import { bundleOf, headOf, recordingLog, signed, verifierOf } from '../../fixtures.ts';
import { packageNodes } from '../packages/package-nodes.ts';
import { bundleWith, FixtureStream } from '../packages/package-set.ts';

const nodes = packageNodes();
const subjects = subjectsOf('dino');
const INBOX = '_INBOX.controller.abc';

/** A node that gets messages, and has a stream. */
async function answeringNode() {
  const { packages } = nodes.node();
  const log = recordingLog();
  const codeServer = new CodeServer(log, { packages });
  const stream = new FixtureStream();
  const stored: Bundle[] = [];
  const heads = [headOf('demo', null, 1)].slice(1);
  const records = {
    packageSet: stream.packageSet,
    archive: stream.archive,
    heads: async () => heads,
    bundle: async (module: string) => stored.find(bundle => bundle.module === module) ?? null,
  };
  const prepare = bundlePreparer(codeServer, packages, records);
  const reconciler = createReconciler('fred', codeServer, records, log, undefined, prepare);
  const callbacks = new Map<string, MsgCallback<Msg>>();
  const answers: object[] = [];
  const nats = {
    subscribe: (subject: string, { callback }: { callback: MsgCallback<Msg> }) => callbacks.set(subject, callback),
    flush: async () => undefined,
    publish: (_: string, data: Uint8Array) => answers.push(JSON.parse(Buffer.from(data).toString()) as object),
  } as unknown as NatsConnection;
  await handleRequests({
    nats,
    subjects,
    identity: { name: 'fred', container: 'c1' },
    verifier: verifierOf(subjects),
    codeServer,
    packages,
    readyPackages: async () => ({ status: 'ready', set: null }),
    prepare,
    reconciler,
    records: { unreadable: () => new Map(), keys: async () => undefined },
    heartbeat: { setInterval: () => undefined },
    loopDelay: { max: 0, reset: () => undefined },
    purgeTimeoutMs: 0,
    log,
  });
  const send = (bundle: Bundle): void => {
    const subject = subjects.bundle(bundle.module, bundle.revision);
    const data = signed(subject, encodeBundle(bundle));
    const message = { subject, data, headers: headers() };
    message.headers.set(ANSWER_TO, INBOX);
    void callbacks.get(subjects.bundles)?.(null, message as unknown as Msg);
  };
  return {
    codeServer,
    stream,
    stored,
    heads,
    reconciler,
    answers,
    send,
    running: (module: string) => codeServer.current(module)?.exports,
  };
}

const INSTALLED = { a: { files: { 'index.js': `exports.name = 'a';` } } };

describe('a node that gets a bundle', () => {
  it('says first that it fetches the packages, if it lacks them', async () => {
    const { send, stream, answers } = await answeringNode();
    const bundle = bundleWith(stream.add(INSTALLED), `exports.name = require.import('a').name;`);
    send(bundle);
    expect(answers).toEqual([{ status: 'fetching', node: 'fred' }]);
    await expect.poll(() => answers).toHaveLength(2);
    const prepared = { status: 'prepared', node: 'fred', revision: bundle.revision };
    expect(answers[1]).toEqual(prepared);
    send(bundle);
    await expect.poll(() => answers.slice(2)).toEqual([prepared]);
  });

  it('refuses it if the packages can not be read, and prepares one without packages in the same turn', async () => {
    const { send, stream, answers, codeServer } = await answeringNode();
    const bundle = bundleWith(stream.add(INSTALLED));
    stream.sets.clear();
    send(bundle);
    await expect.poll(() => answers[1]).toMatchObject({ status: 'refused', reason: 'nofile' });
    const plain = bundleOf('plain', 'exports.x = 1;');
    send(plain);
    expect(codeServer.isPrepared('plain', plain.revision)).toBe(true);
  });
});

describe('a node that was away', () => {
  it('brings the packages with the heads of the stream', async () => {
    const { reconciler, stream, stored, heads, running } = await answeringNode();
    const hash = stream.add(INSTALLED);
    for (const [index, module] of ['one', 'two'].entries()) {
      const bundle = bundleWith(hash, `exports.a = require.import('a');`, module);
      stored.push(bundle);
      heads.push(headOf(module, bundle.revision, index + 1));
    }
    await reconciler.readHeads();
    expect(running('one')?.['a']).toMatchObject({ name: 'a' });
    expect(running('two')?.['a']).toBe(running('one')?.['a']);
    expect(stream.reads.toSorted()).toEqual(['a', 'set']);
  });

  it('refuses a head whose packages the stream lacks, and tries it again later', async () => {
    const { reconciler, stream, stored, heads } = await answeringNode();
    const bundle = bundleWith(stream.add(INSTALLED), `exports.a = 1;`);
    stream.sets.clear();
    stored.push(bundle);
    heads.push(headOf('demo', bundle.revision, 5));
    await reconciler.readHeads();
    expect(reconciler.refusals()).toMatchObject({ demo: { sequence: 5, reason: 'nofile', attempts: 1 } });
    reconciler[Symbol.dispose]();
  });
});

describe('an archive', () => {
  const encoded = encodeArchive({ files: new Map([['index.js', Buffer.from('1')]]), converted: new Map() });
  const packed = gzipSync(encoded);

  it('is unpacked from its chunks', async () => {
    const archive = await unpackArchive([packed.subarray(0, 5), packed.subarray(5)], archiveHashOf(encoded));
    expect([...archive.files.keys()]).toEqual(['index.js']);
  });

  it('with another hash, or cut off, is refused', async () => {
    await expect(unpackArchive([packed], 'a'.repeat(64))).rejects.toThrow(DecodeError);
    await expect(unpackArchive([packed.subarray(0, 5)], archiveHashOf(encoded))).rejects.toThrow(DecodeError);
  });
});
