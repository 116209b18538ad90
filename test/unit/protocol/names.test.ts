import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  compareNodes,
  isCookie,
  isModuleName,
  isNodeName,
  nodeNameOf,
  replicaName,
  serviceOf,
} from '../../../protocol/names.ts';
import { nodeNames, texts } from '../fixtures.ts';

const replicas = Array.from({ length: 40 }, (_, index) => replicaName(index + 1));

describe('isModuleName', () => {
  it.each(['demo', 'a', 'two-words', 'v2', 'constructors', `a${'b'.repeat(62)}`])('takes %j', name => {
    expect(isModuleName(name)).toBe(true);
  });

  it.each([
    '',
    'Demo',
    '2nd',
    '-x',
    'a_b',
    'a.b',
    'a/b',
    '../a',
    'a b',
    'a*',
    'a>',
    'demo\n',
    'é',
    'constructor',
    'prototype',
    `a${'b'.repeat(63)}`,
  ])('refuses %j', name => {
    expect(isModuleName(name)).toBe(false);
  });
});

describe('isCookie', () => {
  it.each(['dino', 'Dino_2-x', 'a'.repeat(64)])('takes %j', cookie => {
    expect(isCookie(cookie)).toBe(true);
  });

  it.each(['', 'a.b', '*', '>', 'a b', 'dino\n', 'ü', 'a'.repeat(65)])('refuses %j', cookie => {
    expect(isCookie(cookie)).toBe(false);
  });
});

describe('replicaName', () => {
  it('names the first replicas as the Flintstones, in order', () => {
    expect(replicas.slice(0, 7)).toEqual(['fred', 'bambam', 'betty', 'wilma', 'barney', 'pebbles', 'dino']);
  });

  it('has 30 names, then numbered ones', () => {
    expect(replicas.slice(29, 32)).toEqual(['cobble', 'node-31', 'node-32']);
  });

  it('never returns one name for two replicas', () => {
    expect(new Set(replicas).size).toBe(replicas.length);
  });
});

describe('nodeNameOf', () => {
  it.each([
    ['hotcast-node-1', 'fred', 'Compose v2'],
    ['hotcast-node-3', 'betty', 'Compose v2'],
    ['hotcast_node_2', 'bambam', 'Compose v1'],
    ['hotcast-node-31', 'node-31', 'the 31st replica'],
    ['hotcast-worker-1', 'worker-1', 'another service'],
    ['hotcast-web-api-12', 'web-api-12', 'another service'],
    ['hotcast-Web_API-2', 'web-api-2', 'a service with other characters'],
    ['hotcast_node.4.k2j5h6g7f8d9s0a1q2w3e4r5t', 'wilma', 'Swarm'],
    ['hotcast_worker.4.k2j5h6g7f8d9s0a1q2w3e4r5t', 'worker-4', 'another service of Swarm'],
    ['hotcast-node-10000', 'node-10000', 'many replicas'],
    ['worker', 'worker', 'a name of its own'],
    ['My_Own.Name', 'my-own-name', 'a name of its own'],
    ['other-node-3', 'other-node-3', 'another project'],
    ['hotcastnode-3', 'hotcastnode-3', 'another project'],
    ['hotcast-3', 'hotcast-3', 'no service'],
    ['hotcast-node-run-3f2a9c', 'hotcast-node-run-3f2a9c', 'docker compose run'],
    ['hotcast-node-0', 'hotcast-node-0', 'no replica is number 0'],
    ['__', 'node', 'nothing usable'],
  ])('%s is %s (%s)', (container, node) => {
    expect(nodeNameOf(container, 'hotcast')).toBe(node);
  });

  it.each([
    ['hotcast-node-3', 'betty'],
    ['hotcast-worker-3', 'betty'],
    ['stack_node.4.k2j5h6g7f8d9s0a1q2w3e4r5t', 'wilma'],
    ['web-0', 'web-0'],
  ])('without a project, %s is %s', (container, node) => {
    expect(nodeNameOf(container, '')).toBe(node);
  });

  it.each([
    ['hotcast-node-1', 100, 'node-101'],
    ['hotcast-node-3', 10, 'perry'],
    ['hotcast-worker-2', 100, 'worker-102'],
    ['My_Own.Name', 100, 'my-own-name'],
    ['other-node-3', 100, 'other-node-3'],
  ])('%s is on a machine whose numbers follow %i: %s', (container, offset, node) => {
    expect(nodeNameOf(container, 'hotcast', offset)).toBe(node);
  });

  it('makes a valid node name of any text', () => {
    fc.assert(
      fc.property(texts, text => {
        expect(nodeNameOf(text, 'hotcast')).toSatisfy(isNodeName);
      }),
    );
  });

  it('leaves room for the container id that a second node of the name appends', () => {
    fc.assert(
      fc.property(texts, text => {
        expect(`${nodeNameOf(text, 'hotcast')}-3f2a9c`).toSatisfy(isNodeName);
      }),
    );
  });
});

describe('serviceOf', () => {
  it.each([
    ['fred', 'node'],
    ['betty-3f2a9c', 'node'],
    ['fred-123456', 'node'],
    ['node-31', 'node'],
    ['node-31-123456', 'node'],
    ['worker-1', 'worker'],
    ['worker-1-3f2a9c', 'worker'],
    ['web-2-123456', 'web'],
    ['web-2-1', 'web-2'],
    ['web-2-1-abcdef', 'web-2'],
    ['fred-1', 'fred'],
    ['abc-1-abcdef-1', 'abc-1-abcdef'],
  ])('%s is of the service %s', (node, service) => {
    expect(serviceOf(node)).toBe(service);
  });

  it('is the service of the container, for a node and for a second one of its name', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]+(-[a-z0-9]+){0,2}$/), fc.integer({ min: 1, max: 99_999 }), (name, n) => {
        const service = name.slice(0, 20).replace(/-$/, '');
        const node = nodeNameOf(`hotcast-${service}-${n}`, 'hotcast');
        expect([serviceOf(node), serviceOf(`${node}-3f2a9c`), serviceOf(`${node}-123456`)]).toEqual(
          Array.from({ length: 3 }, () => service),
        );
      }),
    );
  });

  it.each(['node-3f2a9cx', 'hotcast-node-run-3f2a9c', 'other'])('a container of its own is in no service: %s', node => {
    expect(serviceOf(node)).toBe(node);
  });
});

describe('compareNodes', () => {
  it('sorts as replicas are numbered, then other names', () => {
    expect([...replicas, 'worker-2', 'worker-10', 'another'].toReversed().toSorted(compareNodes)).toEqual([
      ...replicas,
      'another',
      'worker-2',
      'worker-10',
    ]);
  });

  it('sorts numbers in names as numbers', () => {
    expect(['web10', 'web9', 'node-100', 'node-31'].toSorted(compareNodes)).toEqual([
      'node-31',
      'node-100',
      'web9',
      'web10',
    ]);
  });

  it('is a consistent order', () => {
    const name = fc.oneof(
      nodeNames,
      fc.constantFrom(...replicas),
      fc.nat().map(number => `node-${number}`),
    );
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(compareNodes(a, a)).toBe(0);
        expect(Math.sign(compareNodes(a, b)) + Math.sign(compareNodes(b, a))).toBe(0);
        const [first, second, third] = [a, b, c].toSorted(compareNodes);
        expect(compareNodes(first ?? '', second ?? '')).toBeLessThanOrEqual(0);
        expect(compareNodes(second ?? '', third ?? '')).toBeLessThanOrEqual(0);
        expect(compareNodes(first ?? '', third ?? '')).toBeLessThanOrEqual(0);
      }),
    );
  });
});
