import Fastify from 'fastify';

// The examples "use-plugin" and "shared-schema" of fastify, in one.
const app = Fastify();
app.addSchema({ $id: 'user', type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] });
const schema = { body: { $ref: 'user#' } };
app.decorate('answer', 42);
app.register(async plugin => {
  plugin.get('/answer', async () => ({ answer: Reflect.get(app, 'answer') as number }));
  plugin.post('/users', { schema }, async ({ body }) => body);
});
const listening = app.listen({ port: 9103, host: '0.0.0.0' });

export async function check() {
  await listening;
  const url = 'http://127.0.0.1:9103';
  const send = (body: object) => app.inject({ method: 'POST', url: '/users', payload: body });
  const answer = await fetch(`${url}/answer`);
  return [await answer.json(), (await send({ age: '36' })).json(), (await send({})).statusCode];
}
