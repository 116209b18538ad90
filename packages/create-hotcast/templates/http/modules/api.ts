import { Hono } from 'hono';

/** Belongs to the module, so it survives every push. */
const data = import.meta.hot.dataOf({ visits: 0 });

const app = new Hono();

app.get('/hello/:name', context => context.text(`Hello ${context.req.param('name')}\n`));

app.post('/visits', context => context.json({ visits: (data.visits += 1) }));

/** The visits of this node: `hotcast call 'api.visits()'` asks every node. */
export function visits(): number {
  return data.visits;
}

// Every node serves it at `/api/`. A request ends on the version on which it started.
export default app;
