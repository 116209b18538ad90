// Writes a stack file that gives each service its keys, as secrets and configs, from a folder that the keygen service has filled:
//   node --import tsx setup/stack/keys.ts FOLDER [COOKIE]   writes FOLDER/COOKIE.stack.json
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [, , given = 'keys', cookie = 'dino'] = process.argv;
const folder = resolve(given);

interface Mounted {
  readonly service: string;
  readonly kind: 'secrets' | 'configs';
  readonly path: string;
  readonly target: string;
  readonly user: string;
}

const mounted = (
  service: string,
  kind: Mounted['kind'],
  path: string,
  target = `/run/keys/${path.slice(path.indexOf('/') + 1)}`,
): Mounted => ({ service, kind, path, target, user: service === 'roster' ? '0' : '1000' });

const ofRole = (role: string): Mounted[] => [
  mounted(role, 'secrets', `${role}/${cookie}/nats.nk`),
  mounted(role, 'configs', `${role}/${cookie}/ca.pem`),
];

/** Swarm has no folders, so only one key can be trusted. */
const trusted = (service: string): Mounted => {
  const [file = ''] = readdirSync(join(folder, 'trust', cookie));
  return mounted(service, 'configs', `trust/${cookie}/${file}`, `/run/trust/${cookie}/${file}`);
};

const files: readonly Mounted[] = [
  mounted('nats', 'configs', 'nats/accounts.conf', '/etc/nats/keys/accounts.conf'),
  mounted('nats', 'configs', 'nats/cert.pem', '/etc/nats/keys/cert.pem'),
  mounted('nats', 'configs', 'nats/ca.pem', '/etc/nats/keys/ca.pem'),
  mounted('nats', 'secrets', 'nats/key.pem', '/etc/nats/keys/key.pem'),
  mounted('auth-callout', 'secrets', 'auth-callout/nats.nk'),
  mounted('auth-callout', 'secrets', 'auth-callout/issuer.nk'),
  mounted('auth-callout', 'configs', `auth-callout/users/${cookie}.json`),
  mounted('auth-callout', 'configs', 'auth-callout/ca.pem'),
  ...['controller', 'roster', 'console', 'node'].flatMap(ofRole),
  ...['controller', 'console', 'node'].map(trusted),
  mounted('controller', 'secrets', `controller/${cookie}/signing.pem`),
];

const sourceOf = (path: string): string => path.replaceAll(/[^a-zA-Z0-9]+/g, '-');

/** Swarm does not change a secret: another content is another name. */
function nameOf(path: string): string {
  const hash = createHash('sha256')
    .update(path)
    .update(readFileSync(join(folder, path)))
    .digest('hex');
  return `hotcast-${sourceOf(path)}`.slice(0, 51) + `-${hash.slice(0, 12)}`;
}

const definitions = (kind: Mounted['kind']) =>
  Object.fromEntries(
    files
      .filter(file => file.kind === kind)
      .map(({ path }) => [sourceOf(path), { name: nameOf(path), file: join(folder, path) }]),
  );

const mounts = (service: string, kind: Mounted['kind']) =>
  files
    .filter(file => file.service === service && file.kind === kind)
    .map(({ path, target, user }) => ({ source: sourceOf(path), target, uid: user, gid: user, mode: 0o400 }));

const services = [...new Set(files.map(({ service }) => service))].map(service => [
  service,
  { secrets: mounts(service, 'secrets'), configs: mounts(service, 'configs') },
]);
const stack = {
  services: Object.fromEntries(services),
  secrets: definitions('secrets'),
  configs: definitions('configs'),
};
writeFileSync(join(folder, `${cookie}.stack.json`), `${JSON.stringify(stack, null, 2)}\n`);
