import cors from 'cors';
import express from 'express';
import { withHttpServer } from './support/http-server.ts';

const app = express();
app.use(cors({ origin: 'https://example.com', methods: ['PUT'] }));

export function check() {
  return withHttpServer(app, async url => {
    const { status, headers } = await fetch(url, { method: 'OPTIONS' });
    return [status, headers.get('access-control-allow-origin'), headers.get('access-control-allow-methods')];
  });
}
