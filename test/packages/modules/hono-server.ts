import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
app.get('/users/:name', context => context.json({ name: context.req.param('name') }));
app.post('/echo', async context => context.text(await context.req.text(), 201));
serve({ fetch: app.fetch, port: 9107, overrideGlobalObjects: false });

export async function check() {
  const url = 'http://127.0.0.1:9107';
  const user = await fetch(`${url}/users/Ada`);
  const echo = await fetch(`${url}/echo`, { method: 'POST', body: 'hello' });
  return [await user.json(), echo.status, await echo.text()];
}
