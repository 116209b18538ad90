import { type Command as Program, Option } from '@commander-js/extra-typings';

import { GRANTED } from '../../../../protocol/operators/operator.ts';
import type { CommandOf } from '../../api/command.ts';
import type { commandAdder } from './add-command.ts';
import type { CommandBody, CommonOptions } from './command-body.ts';
import { momentAhead } from './option-values.ts';

/** Defines the commands that manage operators. */
export function defineOperatorCommands(
  program: Program,
  addCommand: ReturnType<typeof commandAdder>,
  author: string,
  send: (options: CommonOptions, body: CommandBody) => Promise<void>,
): void {
  const operators = program.command('operator').description('manage who may do what from afar');
  addCommand(
    operators,
    'add <name>',
    'hotcast operator add ci --may push,rollback --url tls://fleet.example.com:4222 >ci.json',
  )
    .description('print the credentials of a new operator; they are printed once')
    .option('--may <operations>', `what it may do beside read, with commas: ${GRANTED.join(', ')}`)
    .requiredOption('--url <url>', 'where it reaches NATS: tls://HOST:PORT')
    .addOption(
      new Option('--expires <time>', 'when it may nothing any more: after 12h or 30d, or at a date')
        .argParser(momentAhead)
        .default(null, 'never'),
    )
    .action((name, { may = '', url, expires, ...options }) => {
      const granted = may.split(',').filter(each => each !== '') as CommandOf<'operator add'>['may'];
      return send(options, { type: 'operator add', author, name, may: granted, url, expiresAt: expires });
    });
  addCommand(operators, 'list', 'hotcast operator list')
    .description('list the operators, what they may do, and those that were revoked')
    .action(options => send(options, { type: 'operator list' }));
  addCommand(operators, 'revoke <name>', 'hotcast operator revoke ci')
    .description('refuse an operator from now on, and close its connections')
    .action((name, options) => send(options, { type: 'operator revoke', author, name }));
}
