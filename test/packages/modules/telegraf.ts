import { Telegraf } from 'telegraf';
import { withHttpServer } from './support/http-server.ts';

export function check() {
  const sent: unknown[] = [];
  return withHttpServer(
    async (request, response) => {
      sent.push(JSON.parse(Buffer.concat(await request.toArray()).toString()));
      response.setHeader('content-type', 'application/json');
      response.end('{"ok":true,"result":{}}');
    },
    async apiRoot => {
      const bot = new Telegraf('1:token', { telegram: { apiRoot } });
      bot.botInfo = { id: 1, is_bot: true, first_name: 'Bot', username: 'bot' } as NonNullable<typeof bot.botInfo>;
      bot.hears(/hello (.+)/, context => context.reply(`Hello ${context.match[1]}`));
      const chat = { id: 7, type: 'private' as const, first_name: 'Ada' };
      await bot.handleUpdate({
        update_id: 1,
        message: { message_id: 1, date: 0, chat, text: 'hello bot', from: { id: 7, is_bot: false, first_name: 'Ada' } },
      });
      return sent;
    },
  );
}
