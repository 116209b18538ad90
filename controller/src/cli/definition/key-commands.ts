import { type Command as Program, Option } from '@commander-js/extra-typings';

import { UsageError } from '../../../../protocol/errors.ts';
import { type commandAdder, timeOption } from './add-command.ts';
import type { CommandBody, CommonOptions } from './command-body.ts';

/** Defines the commands that manage keys. Those of a folder are run by the command line of the host, where the folder is. */
export function defineKeyCommands(
  program: Program,
  addCommand: ReturnType<typeof commandAdder>,
  author: string,
  send: (options: CommonOptions, body: CommandBody) => Promise<void>,
): void {
  const keys = program.command('keys').description('manage the keys that nodes trust');

  addCommand(keys, 'rotate', 'hotcast keys rotate --overlap 10m')
    .description('sign with a new key from now on')
    .addOption(timeOption('--overlap <time>', 'how long nodes trust the previous keys', '10m'))
    .addOption(folderOption())
    .action(({ overlap, folder, ...options }) => {
      if (folder !== undefined) throw onTheHost();
      return send(options, { type: 'keys rotate', author, overlap });
    });

  addCommand(keys, 'revoke <key>', 'hotcast keys revoke 2af54c2f1b90d3e7')
    .description('have nobody believe a key any more, at once, because somebody else may have it')
    .addOption(folderOption())
    .action((key, { folder, ...options }) => {
      if (folder !== undefined) throw onTheHost();
      if (/^[0-9a-f]{16}$/.test(key)) return send(options, { type: 'keys revoke', author, key });
      throw new UsageError('the id of a key has 16 hex digits, as `keys rotate` prints it');
    });

  addCommand(keys, 'make <dir>', 'hotcast keys make keys --tls --hosts nats')
    .description('make the keys of a cluster in a folder, for processes that share no volumes; it needs no cluster')
    .option('--tls', 'have all processes connect to NATS by TLS')
    .option('--hosts <names>', 'the host names of NATS, for its certificate, separated by commas')
    .action(() => {
      throw onTheHost();
    });
}

const folderOption = () =>
  new Option('--folder <dir>', 'change the keys in this folder, which `keys make` has made; it needs no cluster');

const onTheHost = (): UsageError =>
  new UsageError('folders of keys are on the host: run this command there, not in a container');
