import { describe, expect, it } from 'vitest';

import { readArguments } from '../../../../packages/hotcast/src/arguments.ts';

const nothing = { project: null, projectDirectory: null, context: null };

describe('the arguments of hotcast on the host', () => {
  it('have the options of the host anywhere, and the others are for the controller', () => {
    expect(readArguments(['push', '--project', 'quarry', 'demo', '--context=mars', '--canary', '10%'])).toEqual({
      host: { ...nothing, project: 'quarry', context: 'mars' },
      args: ['push', 'demo', '--canary', '10%'],
    });
    expect(readArguments(['--project-directory', '/a b', 'nodes']).host.projectDirectory).toBe('/a b');
  });

  it('are left alone after --', () => {
    expect(readArguments(['call', '--', '--project', 'x'])).toEqual({
      host: nothing,
      args: ['call', '--', '--project', 'x'],
    });
  });

  it.each([['--project'], ['--context=']])('need a value for %s', option => {
    expect(() => readArguments(['push', option])).toThrow('needs a value');
  });
});
