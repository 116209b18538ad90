import type Dockerode from 'dockerode';

import { logLines } from '../docker/container-logs.ts';

/** A line of a container's log, as pino writes it. */
export interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly node?: string;
  readonly module?: string;
  readonly revision?: string;
  readonly script?: string;
  readonly fault?: string;
  readonly keys?: readonly string[];
  readonly err?: { readonly type: string; readonly message: string; readonly stack?: string };
}

/** A line is logged within this time (milliseconds). */
const LOG_TIMEOUT_MS = 60_000;

/** The lines that a container has logged until now. */
export async function readLog(container: Dockerode.Container): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const reading = { follow: false, signal: AbortSignal.timeout(LOG_TIMEOUT_MS) };
  for await (const line of logLines(container, reading)) lines.push(...parse(line));
  return lines;
}

/**
 * The first line that matches and was logged at or after the time `after` (milliseconds since 1970); waits for it if it is
 * not there yet. Null when the container stops or the time is over.
 */
export async function findLogLine(
  container: Dockerode.Container,
  matches: (line: LogLine) => boolean,
  after: number,
): Promise<LogLine | null> {
  const reading = { follow: true, signal: AbortSignal.timeout(LOG_TIMEOUT_MS) };
  do {
    for await (const text of logLines(container, reading)) {
      const found = parse(text).find(line => Date.parse(line.time) >= after && matches(line));
      if (found !== undefined) return found;
    }
    // The log ends with the process. The engine possibly restarts the container.
  } while (!reading.signal.aborted && (await isAlive(container)));
  return null;
}

async function isAlive(container: Dockerode.Container): Promise<boolean> {
  const { Running, Restarting } = (await container.inspect()).State;
  return Running || Restarting;
}

function parse(text: string): LogLine[] {
  return text.startsWith('{') ? [JSON.parse(text) as LogLine] : [];
}
