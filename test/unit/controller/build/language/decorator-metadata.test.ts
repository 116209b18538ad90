import { expect, it } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { unpackMap } from '../../../../../protocol/bundle.ts';
import { projects } from '../../../projects.ts';
import { calls, type Files } from './calls.ts';

const project = projects();
const valueOf = calls();

const config = (more: object = {}): string =>
  JSON.stringify({
    compilerOptions: { experimentalDecorators: true, emitDecoratorMetadata: true, strict: true, ...more },
  });

/** A container as those of Nest, TypeORM and others: it makes what a constructor takes. */
const CONTAINER: Files = {
  'modules/container.ts': `
    type Type = new (...args: never[]) => object;
    const all = new Map<object, unknown[]>();
    export const metadata: string[] = [];
    Object.assign(Reflect, { metadata: (key: string, value: unknown) => (target: object, name?: string) => {
      const named = [value].flat().map(each => (each as Type | undefined)?.name);
      metadata.push([name ?? '', key.replace('design:', ''), ...named].join(' '));
      if (name === undefined) all.set(target, value as unknown[]);
    } });
    export const Injectable = () => (_: object): void => undefined;
    export const Column = () => (_: object, _name: string): void => undefined;
    export const Param = () => (_: object, _name: string | undefined, _index: number): void => undefined;
    export const make = <T>(type: new (...args: never[]) => T): T =>
      new type(...((all.get(type) ?? []).map(each => make(each as never)) as never[]));
  `,
  'modules/repository.ts': `
    import { Injectable } from './container';
    @Injectable() export class Repository { find() { return 'found'; } }
  `,
  'modules/demo.ts': `
    import { Column, Injectable, make, metadata, Param } from './container';
    import { Repository } from './repository';
    @Injectable()
    class Service {
      @Column() declare when: Date;
      @Column() name?: string;
      constructor(private readonly repository: Repository) {}
      @Column() find(@Param() _id: number): string { return this.repository.find(); }
    }
    export const f = () => {
      const service = make(Service);
      return [service.find(1), Object.hasOwn(service, 'name'), metadata, Service.name];
    };
    export const broken = (): never => { throw new Error('too far'); };
  `,
};

it('records the types of what decorators decorate, by which a container makes them', async () => {
  const files = { ...CONTAINER, 'modules/tsconfig.json': config() };
  expect(await valueOf(files)).toEqual([
    'found',
    true,
    [
      'when type Date',
      'name type String',
      'find returntype String',
      'find paramtypes Number',
      'find type Function',
      ' paramtypes Repository',
    ],
    'Service',
  ]);
});

it('assigns class fields where the configuration says so', async () => {
  const files = { ...CONTAINER, 'modules/tsconfig.json': config({ target: 'es2020' }) };
  expect(await valueOf(files)).toEqual(['found', false, expect.anything(), 'Service']);
});

it('has the source and its lines in the map', async () => {
  const { bundle } = await compile(project({ ...CONTAINER, 'modules/tsconfig.json': config() }), 'demo');
  const { sources, sourcesContent } = JSON.parse(unpackMap(bundle.map)) as {
    sources: string[];
    sourcesContent: string[];
  };
  expect(sourcesContent[sources.indexOf('modules/demo.ts')]).toBe(CONTAINER['modules/demo.ts']);
});

it('reports the errors of a file with decorators where they are', async () => {
  const modules = project({
    'modules/demo.ts': '@f() class A {}\nexport const x = 1 + ;\n',
    'modules/tsconfig.json': config(),
  });
  await expect(compile(modules, 'demo')).rejects.toThrow('\nmodules/demo.ts:2:22: Unexpected ";"\n');
});
