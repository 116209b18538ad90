import { describe, expect, it } from 'vitest';

import { stub } from '../../../../../../controller/src/build/preflight/child/stub.ts';

type Name = 'Agent' | 'destroy' | 'on' | 'readFile' | 'readFileSync' | 'readdirSync' | 'unref';
type Members = { readonly [K in Name]: Anything } & Iterable<unknown>;
type Anything = ((...args: unknown[]) => Anything) & (new (...args: unknown[]) => Members) & Members;

function anything(onUse?: () => void): Anything {
  return stub(onUse) as Anything;
}

describe('a stub', () => {
  it('can be read, called and constructed to any depth', () => {
    const http = anything();
    expect(() => new http.Agent({ keepAlive: true }).on('x', () => 1).unref()).not.toThrow();
  });

  it('is empty', () => {
    const files = anything().readdirSync('/');
    expect([...files, String(files), Number(files)]).toEqual(['', 0]);
  });

  it('is a class that can be extended', () => {
    class Agent extends anything() {
      own(): string {
        return 'kept';
      }
    }
    const agent = new Agent();
    expect(agent.own()).toBe('kept');
    expect(() => agent.destroy()).not.toThrow();
  });

  it('is an instance of no class, and has no instances', () => {
    const Server = anything();
    expect([Server instanceof Map, {} instanceof Server]).toEqual([false, false]);
  });

  it('passes its names on to the copy of an imported namespace', () => {
    const copy = Object.create(Object.getPrototypeOf(anything()) as object) as Anything;
    expect(typeof copy.readFile).toBe('function');
  });

  it('settles no promise', async () => {
    const late = Symbol('late');
    const read = Promise.resolve(anything() as unknown);
    expect(await Promise.race([read, new Promise(resolve => setImmediate(resolve, late))])).toBe(late);
  });

  it('reports that it is used, and not that it is read', () => {
    let uses = 0;
    const fs = anything(() => (uses += 1));
    const read = fs.readFileSync;
    expect(uses).toBe(0);
    read('/etc/hostname');
    expect(uses).toBe(1);
  });
});
