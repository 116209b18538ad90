import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { listeningHost } from './listening-host.ts';

const { current, push, remove } = listeningHost();

describe('connections of a module that are not requests', () => {
  const upgrading = (version: string) => `
    const server = require('node:http').createServer();
    const sockets = new Set();
    server.on('upgrade', (request, socket) => {
      sockets.add(socket);
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n\\r\\n');
      socket.on('data', data => socket.write('${version} ' + data));
    });
    server.listen(${current().port});
    __hotcast_hot.dispose(() => sockets.forEach(socket => socket.write('bye')));
  `;

  it('of an upgrade end when their version closes, after dispose', async () => {
    push('chat', upgrading('v1'));
    const first = await upgraded();
    expect(await answer(first, 'a')).toBe('v1 a');
    push('chat', upgrading('v2'));
    expect(String((await once(first, 'data'))[0])).toBe('bye');
    await once(first, 'close');
    const second = await upgraded();
    expect(await answer(second, 'b')).toBe('v2 b');
    remove('chat');
    await once(second.resume(), 'close');
  });

  it('of a WebSocket end with the code for a restart', async () => {
    push('chat', upgrading('v1'));
    const socket = await upgraded('websocket');
    push('chat', upgrading('v2'));
    const last = await buffer(socket);
    expect([String(last.subarray(0, 3)), last[3], last.readUInt16BE(5)]).toEqual(['bye', 0x88, 1012]);
  });

  const tcp = (version: string) => `
    const server = require('node:net').createServer(socket => socket.on('data', data => socket.write('${version} ' + data)));
    server.listen({ port: ${current().port}, host: '127.0.0.1' });
  `;

  it('of TCP end when their version closes; the node outlives their errors', async () => {
    push('echo', tcp('v1'));
    const first = connect(current().port, '127.0.0.1');
    expect(await answer(first, 'a')).toBe('v1 a');
    push('echo', tcp('v2'));
    await once(first, 'close');
    const second = connect(current().port, '127.0.0.1');
    expect(await answer(second, 'b')).toBe('v2 b');
    second.destroy();
  });

  async function upgraded(upgrade = 'echo'): Promise<Socket> {
    const sent = request({ port: current().port, headers: { connection: 'upgrade', upgrade } }).end();
    return ((await once(sent, 'upgrade')) as [unknown, Socket])[1];
  }
  async function answer(socket: Socket, text: string): Promise<string> {
    socket.write(text);
    return String((await once(socket, 'data'))[0]);
  }
});
