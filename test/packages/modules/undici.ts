import { Agent, fetch, request } from 'undici';
import { echo, withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(echo, async url => {
    const dispatcher = new Agent({ keepAliveTimeout: 1_000 });
    const { statusCode, body } = await request(`${url}/a`, { method: 'PUT', body: 'x', dispatcher });
    const answers = [await body.json(), await (await fetch(`${url}/b`, { dispatcher })).json()];
    await dispatcher.close();
    return { statusCode, answers };
  });
}
