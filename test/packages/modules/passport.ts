import express from 'express';
import { Passport, Strategy } from 'passport';
import { withHttpServer } from './support/http-server.ts';

class TokenStrategy extends Strategy {
  override readonly name = 'token';

  override authenticate({ headers }: express.Request): void {
    if (headers.authorization === 'Bearer ada') this.success({ name: 'Ada' });
    else this.fail('Bearer', 401);
  }
}

const passport = new Passport();
passport.use(new TokenStrategy());
const app = express();
app.get('/', passport.authenticate('token', { session: false }), ({ user }, response) => void response.json(user));

export function check() {
  return withHttpServer(app, async url => {
    const known = await fetch(url, { headers: { authorization: 'Bearer ada' } });
    return [await known.json(), (await fetch(url)).status];
  });
}
