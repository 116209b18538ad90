import express, { type ErrorRequestHandler } from 'express';

// The example "route-middleware" of express, with a body and an error.
const users = [{ name: 'Ada' }, { name: 'Grace' }];
const app = express();
app.use(express.json());
app.get('/users/:id', (request, response, next) => {
  const user = users[Number(request.params.id)];
  if (user === undefined) next(new Error(`no user ${request.params.id}`));
  else response.json(user);
});
app.post('/echo', (request, response) => void response.status(201).json(request.body));
const onError: ErrorRequestHandler = (error: Error, _request, response, _next) => {
  response.status(404).send(error.message);
};
app.use(onError);
app.listen(9101);

export async function check() {
  const url = 'http://127.0.0.1:9101';
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":[1]}' };
  const answers = [await fetch(`${url}/users/1`), await fetch(`${url}/users/7`), await fetch(`${url}/echo`, post)];
  return Promise.all(answers.map(async answer => [answer.status, await answer.text()]));
}
