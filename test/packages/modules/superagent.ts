import superagent from 'superagent';
import { echo, withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(echo, async url => {
    const { body } = await superagent.post(`${url}/users`).query({ page: 2 }).send({ name: 'Ada' });
    return body as unknown;
  });
}
