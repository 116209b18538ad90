import Hapi from '@hapi/hapi';

const server = Hapi.server({ port: 9104 });
server.route({
  method: 'GET',
  path: '/hello/{name}',
  handler: ({ params }) => `Hello ${String(params['name'])}`,
});
const started = server.start();

export async function check() {
  await started;
  const injected = await server.inject('/hello/Ada');
  const answer = await fetch('http://127.0.0.1:9104/hello/Grace');
  return [injected.result, await answer.text(), (await server.inject('/nowhere')).statusCode];
}
