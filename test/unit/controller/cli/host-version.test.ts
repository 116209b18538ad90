import { describe, expect, it } from 'vitest';

import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import { controller, hotcast, useSocket } from './run-cli.ts';

useSocket();

describe('a command line on the host', () => {
  it('is told when the controller has another version, and which work together', async () => {
    await controller();
    expect(await hotcast(['ping'])).toMatchObject({ status: 0, err: [] });
    expect(await hotcast(['ping'], { version: '9.1.0' })).toMatchObject({
      status: 0,
      err: [
        `warning: this hotcast has version 9.1.0, and the controller ${PACKAGE_VERSION}. Releases that follow each other work together; npm install hotcast@${PACKAGE_VERSION} gives the same`,
      ],
    });
  });
});
