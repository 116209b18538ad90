import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type Authenticator, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';

import { makeCertificate } from '../../controller/src/services/keygen/certificate.ts';
import { type Keyring, openKeyring } from '../../controller/src/store/keyring.ts';
import {
  accountOf,
  ACCOUNTS,
  type Holder,
  makeAuthCalloutKeys,
  makeKeys,
  type PublicKeys,
} from '../../controller/src/services/keygen/make-keys.ts';
import { natsConfig, TLS } from '../../controller/src/nats-auth/permissions.ts';
import { NATS_CA_FILE, NATS_SEED_FILE } from '../../shared/nats/options.ts';
import { type Role, ROLES } from '../../protocol/inboxes.ts';

/** The keys of a cluster in folders, as the keys service puts them into volumes, and a user that may do all on NATS. */
export class ClusterKeys {
  readonly #root: string;
  readonly #tester = nkeys.createUser();
  readonly #clusters: PublicKeys[] = [];
  readonly #door = makeAuthCalloutKeys();
  #authority: string | null = null;

  constructor(root: string) {
    this.#root = root;
  }

  /** The folder that is mounted into a holder's container. */
  folder(holder: Holder): string {
    return join(this.#root, holder);
  }

  /** Has all talk to NATS by TLS, which is reached by these names. Call it before the first {@link make}. */
  async useTls(hosts: readonly string[]): Promise<void> {
    const { authority, certificate, privateKey } = await makeCertificate(hosts);
    this.#authority = authority;
    this.#write(join(this.folder('nats'), 'cert.pem'), certificate);
    this.#write(join(this.folder('nats'), 'key.pem'), privateKey);
  }

  /** What vouches for NATS's certificate; null without TLS. */
  get authority(): string | null {
    return this.#authority;
  }

  /** Makes the keys of a cookie when there are none; true when NATS has to read its configuration again. */
  make(cookie: string): boolean {
    if (this.#clusters.some(known => known.cookie === cookie)) return false;
    const { files, users } = makeKeys(cookie);
    this.#clusters.push(users);
    for (const { holder, path, text } of [...this.#door.files, ...files])
      this.#write(join(this.folder(holder), path), text);
    const tester = { nkey: this.#tester.getPublicKey(), publish: ['>'], subscribe: ['>'] };
    const [first, ...others] = this.#clusters
      .map(accountOf)
      .map(account => ({ ...account, users: [...account.users] }));
    first?.users.push(tester);
    if (this.#authority !== null) {
      this.#write(join(this.folder('auth-callout'), NATS_CA_FILE), this.#authority);
      for (const role of ROLES) this.#write(join(this.folder(role), cookie, NATS_CA_FILE), this.#authority);
    }
    const accounts = natsConfig(first === undefined ? [] : [first, ...others], this.#door.door);
    this.#write(join(this.folder('nats'), ACCOUNTS), `${this.#authority === null ? '' : TLS}${accounts}`);
    return true;
  }

  /** Lets in to the first cookie's account, with all rights. */
  get tester(): Authenticator {
    return nkeyAuthenticator(this.#tester.getSeed());
  }

  /** Lets in as a process of the cluster. */
  as(role: Role, cookie: string): Authenticator {
    return nkeyAuthenticator(readFileSync(join(this.folder(role), cookie, NATS_SEED_FILE)));
  }

  /** What a controller seals with. */
  keyring(cookie: string): Keyring {
    return openKeyring(join(this.folder('controller'), cookie), join(this.folder('trust'), cookie));
  }

  #write(file: string, text: string | Uint8Array): void {
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true });
    // A controller in a container is another user, and writes here when it rotates its key.
    chmodSync(folder, 0o777);
    writeFileSync(file, text);
    chmodSync(file, 0o644);
  }
}
