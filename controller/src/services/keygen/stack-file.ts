import { createHash } from 'node:crypto';

import { NATS_CA_FILE, NATS_SEED_FILE } from '../../../../shared/nats/options.ts';
import { ROOT_KEY_SUFFIX } from '../../../../shared/signing/trust.ts';
import { ISSUER_SEED_FILE, PUBLIC_KEYS_FOLDER } from '../../nats-auth/public-keys.ts';
import { KEY_LISTS } from '../../store/key-lists.ts';
import { SIGNING_KEY } from '../../store/keyring.ts';
import { ACCOUNTS_FILE } from './nats-accounts.ts';

/** A file that a service of a stack is given. */
export interface MountedFile {
  /** The service, as in docker-compose.yml. */
  readonly service: string;
  /** A secret is for its service alone; a config says nothing that others may not know. */
  readonly kind: 'secret' | 'config';
  /** Its name in the swarm, with a hash of its content: what is there is never changed. */
  readonly name: string;
  /** Within the folder of keys. */
  readonly path: string;
  /** Where the service reads it. */
  readonly target: string;
  /** The user that the service runs as. */
  readonly user: number;
}

type Wanted = Omit<MountedFile, 'name'>;

const [KEYS, TRUST, NATS] = ['/run/keys', '/run/trust', '/etc/nats/keys'];

/** The longest name of a secret or config. */
const MAX_NAME = 64;
const HASH_DIGITS = 12;

/**
 * The files that the services of a cookie's stack are given, of those that there are.
 *
 * @param cookies all cookies of the folder: NATS and the auth callout serve all of them.
 * @param read gives the content of a file in the folder of keys; null when there is none.
 */
export function mountedFiles(
  cookie: string,
  cookies: readonly string[],
  read: (path: string) => Uint8Array | null,
): MountedFile[] {
  return wantedFiles(cookie, cookies).flatMap(wanted => {
    const content = read(wanted.path);
    return content === null ? [] : [{ ...wanted, name: nameOf(wanted, content) }];
  });
}

function wantedFiles(cookie: string, cookies: readonly string[]): Wanted[] {
  const own = (service: string, file: string, kind: Wanted['kind'], user = 1000): Wanted => {
    const path = `${cookie}/${file}`;
    return { service, kind, path: `${service}/${path}`, target: `${KEYS}/${path}`, user };
  };
  const shared = (service: string, path: string, kind: Wanted['kind'], folder = KEYS): Wanted => {
    return { service, kind, path: `${service}/${path}`, target: `${folder}/${path}`, user: 1000 };
  };
  const trusted = (service: string): Wanted => {
    const path = `${cookie}/root${ROOT_KEY_SUFFIX}`;
    return { service, kind: 'config', path: `trust/${path}`, target: `${TRUST}/${path}`, user: 1000 };
  };
  const ofRole = (service: string, user = 1000): Wanted[] => [
    own(service, NATS_SEED_FILE, 'secret', user),
    own(service, NATS_CA_FILE, 'config', user),
  ];
  return [
    shared('nats', ACCOUNTS_FILE, 'config', NATS),
    shared('nats', 'cert.pem', 'config', NATS),
    shared('nats', 'key.pem', 'secret', NATS),
    shared('nats', NATS_CA_FILE, 'config', NATS),
    shared('auth-callout', NATS_SEED_FILE, 'secret'),
    shared('auth-callout', ISSUER_SEED_FILE, 'secret'),
    ...cookies.map(each => shared('auth-callout', `${PUBLIC_KEYS_FOLDER}/${each}.json`, 'config')),
    shared('auth-callout', NATS_CA_FILE, 'config'),
    ...ofRole('controller'),
    own('controller', SIGNING_KEY, 'secret'),
    own('controller', KEY_LISTS, 'config'),
    trusted('controller'),
    // Its user is the owner of the Docker socket.
    ...ofRole('roster', 0),
    ...ofRole('console'),
    trusted('console'),
    ...ofRole('node'),
    trusted('node'),
  ];
}

/** A name with the beginning of its file's, and a hash of where it is and what it contains. */
function nameOf({ path }: Wanted, content: Uint8Array): string {
  const hash = createHash('sha256').update(path).update('\0').update(content).digest('hex').slice(0, HASH_DIGITS);
  const words = path.replaceAll(/[^a-zA-Z0-9]+/g, '-');
  return `hotcast-${words}`.slice(0, MAX_NAME - 1 - HASH_DIGITS) + `-${hash}`;
}

/**
 * The text of a stack file, for `docker stack deploy -c docker-stack.yml -c keys/dino.stack.json`: it gives each service its files.
 * `HOTCAST_KEYS` is the folder of keys; default: `./keys` beside the first stack file.
 */
export function stackFile(files: readonly MountedFile[]): string {
  const definitionsOf = (kind: MountedFile['kind']) =>
    Object.fromEntries(
      files
        .filter(file => file.kind === kind)
        .map(({ path, name }) => [sourceOf(path), { name, file: `\${HOTCAST_KEYS:-./keys}/${path}` }]),
    );
  const mountsOf = (service: string, kind: MountedFile['kind']) =>
    files
      .filter(file => file.service === service && file.kind === kind)
      .map(({ path, target, user }) => ({
        source: sourceOf(path),
        target,
        uid: String(user),
        gid: String(user),
        mode: 0o400,
      }));
  const services = [...new Set(files.map(({ service }) => service))].map(service => [
    service,
    { secrets: mountsOf(service, 'secret'), configs: mountsOf(service, 'config') },
  ]);
  const stack = {
    services: Object.fromEntries(services),
    secrets: definitionsOf('secret'),
    configs: definitionsOf('config'),
  };
  return `${JSON.stringify(stack, null, 2)}\n`;
}

const sourceOf = (path: string): string => path.replaceAll(/[^a-zA-Z0-9]+/g, '-');
