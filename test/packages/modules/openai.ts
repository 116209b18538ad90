import OpenAI from 'openai';
import { withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(
    (_, response) => {
      response.setHeader('content-type', 'text/event-stream');
      for (const content of ['Hot', ' ', 'code'])
        response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
      response.end('data: [DONE]\n\n');
    },
    async baseURL => {
      const client = new OpenAI({ apiKey: 'x', baseURL });
      const messages = [{ role: 'user' as const, content: 'hello' }];
      let text = '';
      for await (const { choices } of await client.chat.completions.create({ model: 'm', messages, stream: true }))
        text += choices[0]?.delta.content ?? '';
      return text;
    },
  );
}
