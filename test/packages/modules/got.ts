import got, { HTTPError } from 'got';
import { withHttpServer } from './support/http-server.ts';

export function check() {
  let failures = 0;
  return withHttpServer(
    (request, response) => {
      if (request.url === '/flaky' && failures++ === 0) response.writeHead(503, { 'retry-after': '0' }).end();
      else if (request.url === '/flaky') response.end('{"ok":true}');
      else response.writeHead(404).end();
    },
    async url => {
      const body = await got(`${url}/flaky`, {
        retry: { calculateDelay: ({ computedValue }) => Math.min(computedValue, 1) },
      }).json();
      const error: unknown = await got(`${url}/missing`).catch((reason: unknown) => reason);
      return { body, failures, status: error instanceof HTTPError ? error.response.statusCode : null };
    },
  );
}
