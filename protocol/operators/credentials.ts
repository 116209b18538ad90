import * as v from 'valibot';

import { UsageError } from '../errors.ts';
import { isCookie } from '../names.ts';
import { count } from '../schemas.ts';
import { operatorName } from './operator.ts';

/** The file with which an operator reaches a cluster. Whoever has it is that operator. */
export const credentialsSchema = v.object({
  cookie: v.pipe(v.string(), v.check(isCookie, 'not a cookie')),
  name: operatorName,
  /** NATS's address: `tls://fleet.example.com:4222`; several have commas between them. */
  url: v.pipe(v.string(), v.check(isOperatorUrl, 'not the address of a NATS server with TLS')),
  /** The private key, an nkey's seed. */
  seed: v.pipe(v.string(), v.regex(/^SU[A-Z2-7]{56}$/, 'not the seed of a user')),
  /** The certificate authority of NATS, PEM; null: one that the machine knows, or no TLS. */
  authority: v.nullable(v.string()),
  /** When they expire, milliseconds since 1970; null: never. */
  expiresAt: v.optional(v.nullable(count), null),
});

export type Credentials = Readonly<v.InferOutput<typeof credentialsSchema>>;

export const URL_RULE = 'tls://HOST:PORT, or nats://127.0.0.1:PORT without TLS, for a tunnel';

/** Whether these are addresses of NATS, with TLS, or on this machine: the end of a tunnel. */
export function isOperatorUrl(text: string): boolean {
  return text.split(',').every(each => {
    const url = URL.parse(each);
    if (url === null || url.port === '' || url.username !== '' || url.password !== '') return false;
    if (url.protocol === 'tls:') return url.hostname !== '';
    return url.protocol === 'nats:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  });
}

/** @param file its name, for the error. @throws UsageError */
export function readCredentials(text: string, file: string): Credentials {
  const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), credentialsSchema), text);
  if (success) return output;
  throw new UsageError(`${file} is not an operator's credentials (make them with: hotcast operator add)`);
}
