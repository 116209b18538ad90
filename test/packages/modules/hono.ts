import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { logger } from 'hono/logger';
import { etag } from 'hono/etag';

// The example "blog" of hono, shorter. The node serves it under /hono/.
const posts = new Map([['1', { id: '1', title: 'Hot' }]]);
const app = new Hono();
app.use(
  etag(),
  logger(() => undefined),
);
app.get('/posts', context => context.json([...posts.values()]));
app.get('/posts/:id', context => {
  const post = posts.get(context.req.param('id'));
  if (post === undefined) throw new HTTPException(404, { message: 'no such post' });
  return context.json(post);
});

export default app;

export async function check() {
  const url = 'http://127.0.0.1:8080/hono/posts';
  const all = await fetch(url);
  const etagOfAll = all.headers.get('etag') ?? '';
  const unchanged = await fetch(url, { headers: { 'if-none-match': etagOfAll } });
  const missing = await fetch(`${url}/7`);
  return [await all.json(), unchanged.status, missing.status, await missing.text()];
}
