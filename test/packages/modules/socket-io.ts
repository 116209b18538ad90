import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';

// The example "chat" of socket.io.
const server = createServer();
const chat = new Server(server, { transports: ['websocket'] });
chat.on('connection', socket => {
  socket.on('chat message', (text: string, acknowledge: (answer: string) => void) => {
    chat.emit('chat message', text);
    acknowledge('sent');
  });
});
server.listen(9105);
import.meta.hot.dispose(() => chat.close());

export async function check() {
  const options = { transports: ['websocket'], forceNew: true, reconnection: false };
  const [ada, grace] = [io('http://127.0.0.1:9105', options), io('http://127.0.0.1:9105', options)];
  try {
    await Promise.all([ada, grace].map(socket => new Promise(resolve => socket.on('connect', () => resolve(null)))));
    const received = new Promise<string>(resolve => grace.on('chat message', resolve));
    const acknowledged: unknown = await ada.timeout(5_000).emitWithAck('chat message', 'hello');
    return [acknowledged, await received];
  } finally {
    ada.close();
    grace.close();
  }
}
