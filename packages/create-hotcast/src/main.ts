#!/usr/bin/env node
import { spawn } from 'node:child_process';

import { HotcastError } from '../../../protocol/errors.ts';
import { create } from './create.ts';
import { HELP, readOptions } from './options.ts';
import { VERSION } from './templates.ts';
import { Cancelled, terminalQuestions } from './terminal.ts';

const { stdin, stdout } = process;

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) stdout.write(HELP);
  else if (options.version) stdout.write(`${VERSION}\n`);
  else {
    await create(options, {
      folder: process.cwd(),
      userAgent: process.env['npm_config_user_agent'],
      questions: stdin.isTTY && stdout.isTTY ? terminalQuestions : null,
      say: text => void stdout.write(`${text}\n`),
      install,
    });
  }
} catch (error) {
  if (error instanceof Cancelled) process.exitCode = 130;
  else if (error instanceof HotcastError) {
    process.stderr.write(`create-hotcast: ${error.message}\n`);
    process.exitCode = 2;
  } else throw error;
}

/** On Windows, package managers are scripts, which need a shell. */
function install(command: string, cwd: string): Promise<boolean> {
  return new Promise(done => {
    const child = spawn(command, { cwd, shell: true, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', () => done(false));
    child.once('close', status => done(status === 0));
  });
}
