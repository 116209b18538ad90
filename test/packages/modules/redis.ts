import { createClient } from 'redis';
import { withRedis } from './support/fake-redis.ts';

export function check() {
  return withRedis(async port => {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 2 });
    await client.connect();
    await client.set('name', 'Ada');
    const values = [await client.get('name'), await client.incr('visits'), await client.get('none')];
    client.destroy();
    return values;
  });
}
