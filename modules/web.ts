import type { HttpModule, WebSocketHooks } from '@hotcast/types';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';

const { dataOf, signal } = import.meta.hot;
const data = dataOf({ visits: 0 });

const app = new Hono();

app.get('/', context => context.html('<h1>Yabba dabba doo!</h1><p><a href="hello/Fred">OnReport hello</a></p>'));

app.get('/hello/:name', context => context.text(`Hello ${context.req.param('name')}\n`));

// The count survives every push.
app.post('/visits', context => context.json({ visits: (data.visits += 1) }));
app.get('/visits', context => context.json({ visits: data.visits }));

// A stream stays on the version on which it started, and keeps that version alive. A forced purge aborts the signal.
app.get('/ticks', context =>
  streamSSE(context, async stream => {
    signal.addEventListener('abort', () => void stream.close());
    for (let tick = 1; tick <= 10 && !stream.aborted; tick += 1) {
      await stream.writeSSE({ event: 'tick', data: String(tick) });
      await stream.sleep(1_000);
    }
  }),
);

// A chat. The current version handles each message. The connections survive every push.
const websocket: WebSocketHooks = {
  open(peer) {
    peer.subscribe('chat');
    peer.send('welcome');
  },
  message(peer, message) {
    const line = `somebody says: ${message.text()}`;
    peer.send(line);
    peer.publish('chat', line);
  },
};

export default { fetch: app.fetch, websocket } satisfies HttpModule;
