import fetch, { Headers } from 'node-fetch';
import { echo, withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(echo, async url => {
    const response = await fetch(`${url}/users`, { method: 'POST', body: 'Ada', headers: new Headers({ a: 'b' }) });
    return { ok: response.ok, type: response.headers.get('content-type'), body: await response.json() };
  });
}
