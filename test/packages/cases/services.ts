import { type PackageCase, works } from '../package-case.ts';

/** Their services are small fakes in the module's own process. */
export const SERVICES: readonly PackageCase[] = [
  works(['aws-s3', '@aws-sdk/client-s3'], 'puts, gets and misses an object', { text: 'hello', missing: true }),
  works(['discord', 'discord.js'], 'a command, a REST call and an embed', {
    answer: { method: 'PUT', path: '/v10/applications/1/commands', body: '["ping"]' },
    embed: { title: 'Hot', color: 15_548_997 },
  }),
  works(['google-storage', '@google-cloud/storage'], 'lists files', ['a.txt', '/storage/v1/b/files/o']),
  works('grammy', 'answers a command', [{ chat_id: 7, text: 'Hello Ada' }]),
  works('node-cron', 'a task every second, which ends with its version', { ticked: true, valid: [true, false] }),
  works('nodemailer', 'a mail with an attachment by SMTP', {
    accepted: ['ada@b.c'],
    subject: 'Subject: =?UTF-8?Q?Hot_=C3=BC?=',
    attached: true,
  }),
  works('openai', 'a streamed completion', 'Hot code'),
  works('stripe', 'creates a customer, checks a webhook', {
    id: 'cus_1',
    description: 'name=Ada&metadata[plan]=pro',
    event: 'evt_1',
  }),
  works('telegraf', 'answers a message', [{ chat_id: 7, text: 'Hello bot' }]),
];
