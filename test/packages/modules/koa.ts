import Koa from 'koa';

const app = new Koa();
app.use(async (context, next) => {
  await next();
  context.set('x-middleware', 'yes');
});
app.use(context => {
  context.body = { path: context.path, query: context.query };
});
app.listen(9102);

export async function check() {
  const answer = await fetch('http://127.0.0.1:9102/users?page=2');
  return { header: answer.headers.get('x-middleware'), body: await answer.json() };
}
