import { describe, expect, it } from 'vitest';

import { packageVersionWarnings } from '../../../../controller/src/fleet/package-versions.ts';
import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';

const together = '. Releases that follow each other work together: upgrade the controller first, then the nodes';
const own = { node: 'fred', version: PACKAGE_VERSION };

describe('packageVersionWarnings', () => {
  it('says nothing when the nodes have the version of the controller', () => {
    expect(packageVersionWarnings([own])).toEqual([]);
  });

  it('names the nodes of each other version, three of them at most', () => {
    const old = ['betty', 'wilma', 'barney', 'pebbles'].map(node => ({ node, version: '0.0.9' }));
    expect(packageVersionWarnings([own, ...old, { node: 'dino' }])).toEqual([
      `version 0.0.9 of Hotcast on betty, wilma, barney and 1 more; the controller has ${PACKAGE_VERSION}${together}`,
      `an older version of Hotcast on dino; the controller has ${PACKAGE_VERSION}${together}`,
    ]);
  });
});
