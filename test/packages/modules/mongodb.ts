import { MongoClient } from 'mongodb';
import { withMongo } from './support/fake-mongo.ts';

export function check() {
  return withMongo(async url => {
    const client = await MongoClient.connect(url);
    const users = client.db().collection<{ name: string }>('users');
    const { insertedCount } = await users.insertMany([{ name: 'Ada' }, { name: 'Grace' }]);
    const names = (await users.find().toArray()).map(({ name }) => name);
    await client.close();
    return { insertedCount, names };
  });
}
