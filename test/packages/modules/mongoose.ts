import mongoose from 'mongoose';
import { withMongo } from './support/fake-mongo.ts';

const schema = new mongoose.Schema({
  name: { type: String, required: true, trim: true },
  visits: { type: Number, min: 0 },
});
schema.virtual('greeting').get(function () {
  return `Hello ${this.name}`;
});

export function check() {
  return withMongo(async url => {
    const connection = await mongoose.createConnection(url, { autoIndex: false }).asPromise();
    const User = connection.model('User', schema);
    const invalid: unknown = await new User({ visits: -1 }).validate().catch((error: unknown) => error);
    const user = await User.create({ name: ' Ada ', visits: 1 });
    const found = await User.find();
    await connection.close();
    const fields = invalid instanceof mongoose.Error.ValidationError ? Object.keys(invalid.errors).toSorted() : null;
    return { fields, greeting: user.get('greeting') as string, found: found.length };
  });
}
