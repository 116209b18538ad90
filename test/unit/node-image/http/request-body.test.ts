import { once } from 'node:events';
import { connect } from 'node:net';

import { describe, expect, it } from 'vitest';

import { serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();

const AT_ONCE = `return new Response(await request.text())`;
const LATER = `await new Promise(resolve => setImmediate(resolve)); return new Response(await request.text())`;

const HEAD = 'POST /web/ HTTP/1.1\r\nhost: bedrock\r\n';

/** The same body, in the ways in which it can arrive. */
const SENT: readonly (readonly [string, readonly string[]])[] = [
  ['with the head', [`${HEAD}content-length: 9\r\n\r\nyabba dab`]],
  ['after the head', [`${HEAD}content-length: 9\r\n\r\n`, 'yabba dab']],
  ['in parts', [`${HEAD}content-length: 9\r\n\r\nya`, 'bba', ' dab']],
  [
    'in chunks, with a trailer',
    [`${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nyabba\r\n`, '4\r\n dab\r\n', '0\r\nx-sum: 9\r\n\r\n'],
  ],
];

describe('the body of a request', () => {
  it.each(
    SENT.flatMap(([name, parts]) => [
      { name, parts, when: 'at once', source: AT_ONCE },
      { name, parts, when: 'later', source: LATER },
    ]),
  )('that comes $name is whole when it is read $when, and the next request follows', async ({ parts, source }) => {
    const node = await servingHost();
    await node.push({ web: serving(source) });
    const socket = connect(node.http.port, '127.0.0.1').setNoDelay();
    for (let round = 0; round < 2; round += 1) {
      for (const part of parts) {
        socket.write(part);
        await new Promise(resolve => setImmediate(resolve));
      }
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nyabba dab$/s);
    }
    socket.destroy();
  });

  it('can be read once, and is a stream for those who want one', async () => {
    const node = await servingHost();
    await node.push({
      web: serving(`
        if (request.url.endsWith('stream')) {
          let text = '';
          for await (const chunk of request.body!.pipeThrough(new TextDecoderStream())) text += chunk;
          return new Response(text);
        }
        const first = await request.text();
        return new Response(first + await request.text().catch((error: Error) => ' ' + error.name));
      `),
    });
    const post = { method: 'POST', body: 'rocks' };
    expect(await (await node.get('/web/stream', post)).text()).toBe('rocks');
    expect(await (await node.get('/web/twice', post)).text()).toBe('rocks TypeError');
  });
});
