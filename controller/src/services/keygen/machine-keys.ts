import { nkeys } from '@nats-io/transport-node';
import * as v from 'valibot';

import { decode, encode } from '../../../../protocol/codec.ts';
import { NATS_SEED_FILE } from '../../../../shared/nats/options.ts';
import { ROOT_KEY_SUFFIX } from '../../../../shared/signing/trust.ts';
import type { KeyFolders } from './key-folders.ts';
import type { AuthCalloutKeys } from './make-keys.ts';

const seed = v.pipe(v.string(), v.regex(/^SU[A-Z2-7]{56}$/));

const machineKeys = v.object({
  machine: v.string(),
  /** The public key that signs the answers of the auth callout. */
  issuer: v.string(),
  /** The authority that signed the certificate of the hub, PEM. */
  authority: v.string(),
  /** The seed of the link over which the auth callout is asked. */
  link: seed,
  cookies: v.array(
    v.object({
      cookie: v.string(),
      /** The seed of the link that carries what is said in the cookie's cluster. */
      link: seed,
      /** The seeds of the agent and of the nodes, at the machine's own server. */
      agent: seed,
      node: v.string(),
      /** The public half of the root key, PEM. */
      root: v.string(),
    }),
  ),
});

/** All that another machine is given: one file with the keys of its NATS server, its agent and its nodes. */
export type MachineKeys = v.InferOutput<typeof machineKeys>;

/** The public keys of a machine's links to the hub. */
export interface MachineLinks {
  readonly machine: string;
  readonly link: string;
  readonly cookies: readonly { readonly cookie: string; readonly link: string }[];
}

/** The file of a machine, in the folder of all of them. */
const fileOf = (machine: string): string => `${machine}.json`;

/** Reads the file of a machine. @throws DecodeError */
export function readMachineKeys(file: Uint8Array): MachineKeys {
  return decode(machineKeys, file);
}

/**
 * Writes the file of each machine. Keys that it has already stay.
 *
 * @param authority that of the hub's certificate, PEM.
 */
export function ensureMachineKeys(
  folders: KeyFolders,
  machines: readonly string[],
  cookies: readonly string[],
  { issuer }: AuthCalloutKeys,
  authority: string,
): MachineLinks[] {
  return machines.map(machine => {
    const file = folders.read('machines', fileOf(machine));
    const before = file === null ? null : readMachineKeys(file);
    const keys: MachineKeys = {
      machine,
      issuer,
      authority,
      link: before?.link ?? makeSeed(),
      cookies: cookies.map(cookie => {
        const known = before?.cookies.find(each => each.cookie === cookie);
        return {
          cookie,
          link: known?.link ?? makeSeed(),
          agent: known?.agent ?? makeSeed(),
          node: textOf(folders, 'node', `${cookie}/${NATS_SEED_FILE}`),
          root: textOf(folders, 'trust', `${cookie}/root${ROOT_KEY_SUFFIX}`),
        };
      }),
    };
    folders.write({ holder: 'machines', path: fileOf(machine), text: encode(keys) });
    const links = keys.cookies.map(({ cookie, link }) => ({ cookie, link: publicKeyOf(link) }));
    return { machine, link: publicKeyOf(keys.link), cookies: links };
  });
}

/** The public key of a seed. */
export const publicKeyOf = (text: string): string => nkeys.fromSeed(Buffer.from(text)).getPublicKey();

const makeSeed = (): string => Buffer.from(nkeys.createUser().getSeed()).toString();

function textOf(folders: KeyFolders, holder: 'node' | 'trust', path: string): string {
  return Buffer.from(folders.read(holder, path) ?? '').toString();
}
