import { Hono } from 'hono';

const rows = Array.from({ length: 10 }, (_, id) => ({ id, name: 'fred'.repeat(18) }));
const large = 'x'.repeat(100_000);
const chunk = new Uint8Array(1_000);

/** The app that every server of `hono` serves, and a hot module. */
const app = new Hono();
app.get('/hello/:name', c => c.text(`Hello ${c.req.param('name')}`));
app.get('/json', c => c.json(rows));
app.post('/echo', async c => c.json(await c.req.json()));
app.get('/large', c => c.text(large));
app.get('/stream', () => {
  let sent = 0;
  const pull = (stream: ReadableStreamDefaultController): void => {
    if (++sent > 50) stream.close();
    else stream.enqueue(chunk);
  };
  return new Response(new ReadableStream({ pull }));
});

export default app;
