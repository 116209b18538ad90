import { describe, expect, it } from 'vitest';

import { routeOf } from '../../../../node-image/src/http/route.ts';

const module = (name: string, path: string, folder: string | null = null): object => ({
  to: 'module',
  module: name,
  path,
  folder,
});

describe('routeOf', () => {
  it.each([
    ['/web/', '/'],
    ['/web/hello/fred', '/hello/fred'],
    ['/web/?x=1', '/?x=1'],
    ['/web/a?b=/c/d?e', '/a?b=/c/d?e'],
    ['/web//a/../b', '//a/../b'],
    ['/web/%2e%2e/demo', '/%2e%2e/demo'],
    ['http://stranger.example/web/a?b', '/a?b'],
  ])('removes the module from the path: %s', (target, path) => {
    expect(routeOf(target)).toEqual(module('web', path));
  });

  it('reports a missing slash that relative links need', () => {
    expect(routeOf('/web')).toEqual(module('web', '/', '/web/'));
    expect(routeOf('/web?x=1')).toEqual(module('web', '/?x=1', '/web/?x=1'));
  });

  it.each(['/', '/?x=1', '', 'http://stranger.example', 'http://stranger.example/'])(
    'leads to the node itself: %j',
    target => {
      expect(routeOf(target)).toEqual({ to: 'node' });
    },
  );

  it.each([
    ['/Web/', 'Web'],
    ['/we%62/', 'we%62'],
    ['//web/', ''],
    ['/../web/', '..'],
    ['/favicon.ico', 'favicon.ico'],
    ['*', '*'],
  ])('leads nowhere when the first part is not a module name: %s', (target, part) => {
    expect(routeOf(target)).toEqual({ to: 'nowhere', part });
  });
});
