import { Bot } from 'grammy';
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
      const botInfo = { id: 1, is_bot: true, first_name: 'Bot', username: 'bot' } as Bot['botInfo'];
      const bot = new Bot('1:token', { client: { apiRoot }, botInfo });
      bot.command('start', context => context.reply(`Hello ${context.from?.first_name}`));
      const person = { id: 7, is_bot: false, first_name: 'Ada' };
      const entities = [{ type: 'bot_command' as const, offset: 0, length: 6 }];
      const chat = { id: 7, type: 'private' as const, first_name: 'Ada' };
      await bot.handleUpdate({
        update_id: 1,
        message: { message_id: 1, date: 0, chat, from: person, text: '/start', entities },
      });
      return sent;
    },
  );
}
