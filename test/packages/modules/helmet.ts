import express from 'express';
import helmet from 'helmet';
import { withHttpServer } from './support/http-server.ts';

const app = express();
app.use(helmet({ frameguard: { action: 'deny' } }));
app.get('/', (_, response) => void response.send('hello'));

export function check() {
  return withHttpServer(app, async url => {
    const { headers } = await fetch(url);
    return [headers.get('x-frame-options'), headers.get('x-powered-by'), headers.has('content-security-policy')];
  });
}
