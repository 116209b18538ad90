import express from 'express';
import multer from 'multer';
import { withHttpServer } from './support/http-server.ts';

const upload = multer({ storage: multer.memoryStorage() });
const app = express();
app.post('/files', upload.single('file'), ({ file, body }, response) => {
  response.json({ name: file?.originalname, size: file?.size, body: { ...(body as object) } });
});

export function check() {
  return withHttpServer(app, async url => {
    const body = new FormData();
    body.append('title', 'greeting');
    body.append('file', new Blob(['hello']), 'hello.txt');
    return (await fetch(`${url}/files`, { method: 'POST', body })).json();
  });
}
