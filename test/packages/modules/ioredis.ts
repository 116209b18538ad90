import { Redis } from 'ioredis';
import { withRedis } from './support/fake-redis.ts';

export function check() {
  return withRedis(async port => {
    const redis = new Redis(port, '127.0.0.1');
    await redis.set('name', 'Ada');
    const results = await redis.pipeline().incr('visits').incr('visits').get('name').exec();
    await redis.quit();
    return results?.map(([, value]) => value);
  });
}
