import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { publishedCompose } from '../../../../setup/publish/published-compose.ts';
import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import { ROOT } from '../../../support/shell.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The names of the top-level entries below a key. */
const entriesOf = (yaml: string, key: string): string[] =>
  [...(yaml.split(`\n${key}:\n`)[1]?.split(/^(?=\S)/m)[0] ?? '').matchAll(/^ {2}([a-z-]+):/gm)].map(
    ([, name = '']) => name,
  );

describe('the compose file of the npm package', () => {
  const compose = publishedCompose(read);

  it('has the services of docker-compose.yml, with images of the version of the package', () => {
    expect(entriesOf(compose, 'services')).toEqual(entriesOf(read('docker-compose.yml'), 'services'));
    const images = [...compose.matchAll(/^ {4}image: \$\{HOTCAST_IMAGES:-hotcast\}\/(.+)$/gm)].map(
      ([, image]) => image,
    );
    const all = ['auth-callout', 'console', 'controller', 'keygen', 'node', 'roster'];
    expect(new Set(images)).toEqual(new Set(all.map(image => `${image}:${PACKAGE_VERSION}`)));
  });

  it('refers to no file of the repository, and has no name of its own', () => {
    expect(compose).not.toMatch(/build:|\.\/(?:nats|proxy|setup|controller|node-image)\b|^name:/m);
  });

  it('has the configurations in it, where Compose replaces no variable', () => {
    expect(compose).toContain('        frontend web\n');
    expect(compose).toContain('        bind ":$${MODULE_PORTS}"\n');
    expect(compose).toContain('        include ../etc/nats/keys/accounts.conf\n');
  });

  it('can not be made when a file of the repository is not where it is expected', () => {
    const without = (path: string): string => read(path).replace('./nats/nats.conf:', './nats/other.conf:');
    expect(() => publishedCompose(without)).toThrow('./');
  });
});
