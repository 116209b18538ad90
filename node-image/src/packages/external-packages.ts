import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { PackageSet } from '../../../protocol/packages.ts';
import { expectNames } from '../sandbox/web-names.ts';
import { type RequestKind, targetOf } from './exports-field.ts';
import type { Manifest } from './instance.ts';
import { splitName } from './package-name.ts';

/**
 * The packages that are installed in the node's image: those that modules name as external. Node.js's own loader loads them,
 * once, and they stay.
 */
export class ExternalPackages {
  readonly #folder: string;
  readonly #require: NodeJS.Require;

  /** @param folder has a `node_modules`, or does not exist. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#require = createRequire(join(folder, 'package.json'));
  }

  /** The `node_modules` that they are in. */
  get modules(): string {
    return join(this.#folder, 'node_modules');
  }

  /** What the image lacks of some packages, for people; null when it has them in these versions. */
  lacks(externals: NonNullable<PackageSet['externals']>): string | null {
    const missing = Object.entries(externals).flatMap(([name, version]) => {
      const installed = this.#manifest(name)?.version;
      if (installed === version) return [];
      const what =
        typeof installed === 'string' ? `has ${name} ${installed}, not ${version}` : `lacks ${name} ${version}`;
      return [{ what, spec: `${name}@${version}` }];
    });
    if (missing.length === 0) return null;
    const all = (values: readonly string[], word: string): string => values.join(word);
    return (
      `the image of the node ${all(
        missing.map(({ what }) => what),
        ', and ',
      )}: add ` +
      `${all(
        missing.map(({ spec }) => spec),
        ' ',
      )} to NODE_PACKAGES in .env, and build and start the nodes again`
    );
  }

  /** The file that a specifier leads to. @throws Error as Node.js does */
  resolve(specifier: string, kind: RequestKind): string {
    expectNames();
    const { name, subpath } = splitName(specifier);
    // `require.resolve` has the conditions of `require`.
    const { exports } = (kind === 'import' ? this.#manifest(name) : null) ?? {};
    const target = exports === undefined ? null : targetOf(exports, subpath === '' ? '.' : `./${subpath}`, kind);
    return target === null ? this.#require.resolve(specifier) : join(this.modules, name, target);
  }

  /** Null for a package that is not there. */
  #manifest(name: string): (Manifest & { readonly version?: unknown }) | null {
    try {
      return JSON.parse(readFileSync(join(this.modules, name, 'package.json'), 'utf8')) as Manifest;
    } catch {
      return null;
    }
  }
}
