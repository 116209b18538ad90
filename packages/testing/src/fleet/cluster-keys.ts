import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type Authenticator, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';

import type { ServerCertificate } from '../../../../controller/src/services/keygen/certificate.ts';
import { type Keyring, openKeyring } from '../../../../controller/src/store/keyring.ts';
import type { PublicKeys } from '../../../../controller/src/nats-auth/public-keys.ts';
import { type Holder, makeAuthCalloutKeys, makeKeys } from '../../../../controller/src/services/keygen/make-keys.ts';
import { accountOf, ACCOUNTS_FILE, natsAccounts } from '../../../../controller/src/services/keygen/nats-accounts.ts';
import { NATS_CA_FILE, NATS_SEED_FILE } from '../../../../shared/nats/options.ts';
import { type Role, ROLES } from '../../../../protocol/inboxes.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';

/** The keys of a cluster in folders, as keygen puts them into volumes, and a NATS user with all permissions. */
export class ClusterKeys {
  readonly #root: string;
  readonly #tester = nkeys.createUser();
  readonly #clusters: PublicKeys[] = [];
  readonly #authCallout = makeAuthCalloutKeys();
  #authority: string | null = null;

  constructor(root: string) {
    this.#root = root;
  }

  /** The folder that is mounted into the container of this holder. */
  folder(holder: Holder): string {
    return join(this.#root, holder === 'root' ? 'controller' : holder);
  }

  /** Has NATS use a TLS certificate. Call this before the first {@link make}. */
  useTls({ authority, certificate, privateKey }: ServerCertificate): void {
    this.#authority = authority;
    this.#write(join(this.folder('nats'), 'cert.pem'), certificate);
    this.#write(join(this.folder('nats'), 'key.pem'), privateKey);
  }

  /** The certificate authority that signed NATS's certificate. Null without TLS. */
  get authority(): string | null {
    return this.#authority;
  }

  /** Makes the keys of a cookie. Returns false when they exist already, true when NATS must read its configuration again. */
  make(cookie: string): boolean {
    if (this.#clusters.some(known => known.cookie === cookie)) return false;
    const { files, users } = makeKeys(cookie);
    this.#clusters.push(users);
    for (const { holder, path, text } of [...this.#authCallout.files, ...files])
      this.#write(join(this.folder(holder), path), text);
    const permissions = { publish: ['>'], subscribe: ['>'] };
    const tester = { nkey: this.#tester.getPublicKey(), permissions };
    const [first, ...others] = this.#clusters
      .map(accountOf)
      .map(account => ({ ...account, users: [...account.users] }));
    first?.users.push(tester);
    if (this.#authority !== null) {
      this.#write(join(this.folder('auth-callout'), NATS_CA_FILE), this.#authority);
      for (const role of ROLES) this.#write(join(this.folder(role), cookie, NATS_CA_FILE), this.#authority);
    }
    const accounts = first === undefined ? [] : [first, ...others];
    const text = natsAccounts(accounts, this.#authCallout.keys, this.#authority !== null);
    this.#write(join(this.folder('nats'), ACCOUNTS_FILE), text);
    return true;
  }

  /** Authenticates with all permissions in the account of the first cookie. */
  get tester(): Authenticator {
    return nkeyAuthenticator(this.#tester.getSeed());
  }

  /** Authenticates as the auth callout. */
  get authCallout(): Authenticator {
    return nkeyAuthenticator(readFileSync(join(this.folder('auth-callout'), NATS_SEED_FILE)));
  }

  /** Authenticates as a process of the cluster. */
  as(role: Role, cookie: string): Authenticator {
    return nkeyAuthenticator(readFileSync(join(this.folder(role), cookie, NATS_SEED_FILE)));
  }

  /** The keyring with which a controller signs. */
  keyring(cookie: string): Keyring {
    const [keys, trust] = [join(this.folder('controller'), cookie), join(this.folder('trust'), cookie)];
    return openKeyring(keys, trust, subjectsOf(cookie).keys);
  }

  #write(file: string, text: string | Uint8Array): void {
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true });
    // The controller in its container is another user, and writes here when it rotates its key.
    chmodSync(folder, 0o777);
    writeFileSync(file, text);
    chmodSync(file, 0o644);
  }
}
