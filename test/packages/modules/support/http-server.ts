import { createServer, type RequestListener } from 'node:http';
import { listenWhile } from './listen-while.ts';

/** Serves HTTP on a free port while `use` runs. It gets the address, such as `http://127.0.0.1:32768`. */
export function withHttpServer<T>(handler: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  return listenWhile(createServer(handler), port => use(`http://127.0.0.1:${port}`));
}

/** Answers each request with what it was: method, path and body, as JSON. */
export const echo: RequestListener = (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => (body += text));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method: request.method, path: request.url, body }));
  });
};
