import { setTimeout as sleep } from 'node:timers/promises';

import { HotcastError, UnavailableError } from '../../../protocol/errors.ts';
import { type ChangingCommand, type Command, isChanging } from '../api/command.ts';
import { type Report, UNKNOWN_RESULT } from '../api/report.ts';
import type { ResultOf } from '../api/results.ts';
import { LostError, sendCommand } from './client.ts';

/** The time between two questions for a result (milliseconds). */
const ASK_INTERVAL_MS = 500;

/** What NATS did not confirm may still be on its way when a result is asked for. Then the second answer counts. */
const ANSWERS_OF_NOTHING = 2;

/** What came of a change is not known. */
export class UnknownResultError extends HotcastError {
  readonly code = UNKNOWN_RESULT;
}

type Lookup = ResultOf<'result'>;

/**
 * Sends a command and yields its reports. When the result of a change is lost, because the controller ended or NATS confirmed
 * nothing, it is looked up by the id of the change.
 *
 * @param lookupTimeoutMs how long it is looked up, milliseconds.
 * @throws UnknownResultError when no controller answers in that time, and what `sendCommand` throws.
 */
export async function* followCommand(
  path: string,
  command: Command,
  signal: AbortSignal,
  lookupTimeoutMs: number,
): AsyncGenerator<Report, void, undefined> {
  if (!isChanging(command)) return yield* sendCommand(path, command, signal);
  const lost = yield* reportsUntilLost(path, command, signal);
  if (lost === null) return;
  yield { type: 'warning', message: `${lost}; looking up what came of it (change ${command.change})` };
  yield { type: 'result', result: await lookUp(path, command, signal, lookupTimeoutMs) };
}

/** Yields the reports of a command. Returns why its result is lost; null when it is not. */
async function* reportsUntilLost(
  path: string,
  command: ChangingCommand,
  signal: AbortSignal,
): AsyncGenerator<Report, string | null, undefined> {
  try {
    for await (const report of sendCommand(path, command, signal)) {
      if (report.type === 'failed' && report.code === UNKNOWN_RESULT) return report.message;
      yield report;
    }
    return null;
  } catch (error) {
    if (error instanceof LostError) return error.message;
    throw error;
  }
}

async function lookUp(
  path: string,
  { change, modules, cookie, timeoutMs }: ChangingCommand,
  signal: AbortSignal,
  lookupTimeoutMs: number,
): Promise<Lookup> {
  const named = typeof modules === 'string' ? [] : modules.map(each => (typeof each === 'string' ? each : each.module));
  const command: Command = { type: 'result', change, modules: named, cookie, timeoutMs };
  const deadline = performance.now() + lookupTimeoutMs;
  let answersOfNothing = 0;
  for (;;) {
    const found = await ask(path, command, signal);
    if (found?.outcome === 'none') answersOfNothing += 1;
    const isKnown = found !== null && found.outcome !== 'unfinished' && found.outcome !== 'none';
    if (isKnown || (found !== null && answersOfNothing === ANSWERS_OF_NOTHING)) return found;
    if (performance.now() > deadline) {
      if (found !== null) return found;
      throw new UnknownResultError(`what came of it is not known; see later: hotcast result ${change}`);
    }
    await sleep(ASK_INTERVAL_MS);
  }
}

/** The answer of the controller; null when there is none. */
async function ask(path: string, command: Command, signal: AbortSignal): Promise<Lookup | null> {
  try {
    for await (const report of sendCommand(path, command, signal)) {
      if (report.type === 'result' && report.result.command === 'result') return report.result;
    }
    return null;
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof LostError) return null;
    throw error;
  }
}
