import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { type Environment, Violation } from '../../../../../../controller/src/build/preflight/child/environment.ts';
import { LoadedPackages } from '../../../../../../controller/src/build/preflight/child/loaded-packages.ts';
import { stub } from '../../../../../../controller/src/build/preflight/child/stub.ts';
import type { LeftOut } from '../../../../../../controller/src/build/packages/packages.ts';

/** Loads a package `user` with this code beside packages `native` and `addon`, whose addons can't be loaded. */
function load(code: string, externals: readonly string[], leftOut: readonly LeftOut[] = [], paths = ['index.js']) {
  const folder = mkdtempSync(join(tmpdir(), 'hotcast-loaded-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const used: Environment['used'] = { stub: false, native: false, violation: null };
  const loadAddon = (): void => {
    used.violation = new Violation('native_addon', 'it loads a native addon');
    throw used.violation;
  };
  Object.assign(globalThis, { loadAddon });
  onTestFinished(() => void Reflect.deleteProperty(globalThis, 'loadAddon'));
  for (const [name, text] of Object.entries({ user: code, native: 'loadAddon();', addon: 'loadAddon();' })) {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    writeFileSync(join(folder, 'node_modules', name, 'index.js'), text);
  }
  const io = stub(() => (used.stub = true));
  const reset = (): void => void Object.assign(used, { stub: false, violation: null });
  const imports = paths.map(path => {
    const file = join(folder, 'node_modules/user', path);
    writeFileSync(file, code);
    return { specifier: path === 'index.js' ? 'npm:user' : `npm:user/${path}`, file, instance: '1' };
  });
  // The packages replace Node's own loader, as they may in a process of their own. Other tests run in this one.
  const loader = Module as unknown as { _load: unknown };
  const ownLoad = loader._load;
  onTestFinished(() => void (loader._load = ownLoad));
  const packages = new LoadedPackages({ io, used, reset } as unknown as Environment);
  return { io, loaded: packages.load({ imports, leftOut, externals }) };
}

it('gives modules and packages a stub for an external package', () => {
  const { io, loaded } = load(`exports.it = require('native'); exports.own = 1;`, ['native']);
  if (loaded.status === 'refused') expect.fail(loaded.detail);
  expect(loaded.require?.('native', true)).toBe(io);
  expect(loaded.require?.('native/sub', false)).toBe(io);
  expect(loaded.require?.('user', true)).toMatchObject({
    own: 1,
    it: expect.toSatisfy(each => each === io) as unknown,
  });
});

it('leaves it to a node whether a package loads that uses an external package for that', () => {
  const { loaded } = load(`if (require('native').version() !== 3) throw new Error('wrong version');`, ['native']);
  expect(loaded).toMatchObject({
    status: 'loaded',
    warnings: [expect.stringMatching(/^its package user needs I\/O to load, .*wrong version/)],
  });
});

it('says what to do when a package does not load without a native one', () => {
  const leftOut = (root: string) => ({ root, label: `native of ${root}`, remedy: `make ${root} external` });
  const { loaded } = load(`require('addon');`, [], [leftOut('user'), leftOut('other')]);
  expect(loaded).toMatchObject({
    status: 'refused',
    reason: 'native_addon',
    detail: expect.stringMatching(
      /^its package user .* \(left out, because native packages are not sent: native of user; make user external\)$/,
    ) as string,
  });
});

it('lets a package replace what another file has added to a built-in, and not the built-in', () => {
  onTestFinished(() => void Reflect.deleteProperty(Reflect, 'yabba'));
  const files = ['index.js', 'lite.js'];
  expect(load(`Reflect.yabba = () => 'doo';`, [], [], files).loaded).toMatchObject({ status: 'loaded', warnings: [] });
  const { ownKeys } = Reflect;
  onTestFinished(() => void Object.assign(Reflect, { ownKeys }));
  expect(load(`Reflect.ownKeys = () => [];`, [], [], files).loaded).toMatchObject({
    status: 'refused',
    reason: 'intrinsics',
    detail: 'its package user changes Reflect.ownKeys, which all modules share',
  });
});

it('says what to do when a package replaces the class of requests, as @hono/node-server can', () => {
  const original = Object.getOwnPropertyDescriptor(globalThis, 'Request') ?? {};
  onTestFinished(() => void Object.defineProperty(globalThis, 'Request', original));
  expect(load(`Object.defineProperty(globalThis, 'Request', { value: class {} });`, []).loaded).toMatchObject({
    status: 'refused',
    detail:
      'its package user changes Request, which all modules share: ' +
      'give serve() of @hono/node-server the option overrideGlobalObjects: false',
  });
});
