import FormData from 'form-data';
import { withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(
    async (request, response) => {
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      const body = Buffer.concat(await request.toArray());
      const form = await new Response(body, { headers }).formData();
      response.end(JSON.stringify({ name: form.get('name'), file: await (form.get('file') as File).text() }));
    },
    async url => {
      const form = new FormData();
      form.append('name', 'Ada');
      form.append('file', Buffer.from('hello'), { filename: 'hello.txt' });
      const { port } = new URL(url);
      const answer = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
        form.submit({ host: '127.0.0.1', port, path: '/' }, (error, response) =>
          error ? reject(error) : resolve(response),
        );
      });
      let text = '';
      for await (const chunk of answer) text += String(chunk);
      return JSON.parse(text) as unknown;
    },
  );
}
