import { Queue } from 'bullmq';
import { withRedis } from './support/fake-redis.ts';

export function check() {
  return withRedis(async port => {
    const queue = new Queue('mails', { connection: { host: '127.0.0.1', port } });
    const job = await queue.add('welcome', { to: 'Ada' }, { attempts: 3 });
    await queue.close();
    return { id: job.id, name: job.name, attempts: job.opts.attempts };
  });
}
