import { describe, expect, it } from 'vitest';

import type { ResultOf } from '../../../../../controller/src/api/results.ts';
import { render } from '../../../../../controller/src/cli/render/render.ts';

const present = (node: string, version: string | null) => ({ node, status: 'present', version }) as const;
const versions = (cli: string, ...nodes: ResultOf<'version'>['nodes']): ResultOf<'version'> => ({
  command: 'version',
  cli,
  controller: '0.3.0',
  nodes,
});

describe('render of the versions', () => {
  it('counts the nodes that have the version of the controller, and names the others', () => {
    const nodes = [present('fred', '0.3.0'), present('bambam', '0.3.0'), present('betty', '0.2.0')];
    const others = [present('wilma', null), { node: 'barney', status: 'silent' }] as const;
    expect(render(versions('0.3.0', ...nodes, ...others)).split('\n')).toEqual([
      'hotcast  0.3.0',
      'nodes    0.3.0    2 nodes',
      'betty    0.2.0',
      'wilma    unknown',
      'barney   silent',
    ]);
  });

  it('has a line for the controller if it differs from the command line', () => {
    expect(render(versions('0.4.0')).split('\n')).toEqual(['hotcast     0.4.0', 'controller  0.3.0']);
  });
});
