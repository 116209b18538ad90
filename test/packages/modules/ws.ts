import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: 9106, perMessageDeflate: true });
server.on('connection', socket => {
  socket.on('message', (data: Buffer) => socket.send(data.toString().toUpperCase()));
});
import.meta.hot.dispose(() => server.clients.forEach(client => client.close(1012)));

export async function check() {
  const client = new WebSocket('ws://127.0.0.1:9106');
  await once(client, 'open');
  client.send('hello '.repeat(500));
  const [data] = (await once(client, 'message')) as [Buffer];
  client.close();
  const [code] = (await once(client, 'close')) as [number];
  return { length: data.length, start: data.toString('utf8', 0, 5), code };
}
