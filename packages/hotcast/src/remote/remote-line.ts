import { errors, type Msg, type NatsConnection, nuid } from '@nats-io/transport-node';

import { decode, encode } from '../../../../protocol/codec.ts';
import { HotcastError, UnavailableError } from '../../../../protocol/errors.ts';
import { operatorInbox } from '../../../../protocol/inboxes.ts';
import type { Credentials } from '../../../../protocol/operators/credentials.ts';
import {
  ALIVE_INTERVAL_MS,
  ALIVE_TIMEOUT_MS,
  decodeSaid,
  encodeHeard,
  type Heard,
  type OpenAnswer,
  openAnswer,
  PART_BYTES,
  type Question,
  type Said,
} from '../../../../protocol/operators/session.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { PROTOCOL } from '../../../../protocol/version.ts';
import { signerOf } from '../../../../shared/nats/nkey.ts';
import { operationOfLine } from '../../../../controller/src/api/operation.ts';
import type { Report } from '../../../../controller/src/api/report.ts';

/** How long the controller has to open a session (milliseconds). */
const OPEN_TIMEOUT_MS = 5_000;

/** Answers a question of the controller. `say`: shows a report of a build to the user. @throws HotcastError */
export type AnswerQuestion = (question: Question, say: (report: Report) => void) => Promise<Uint8Array>;

/** NATS or the controller refuses what the operator may not do. */
class RefusedError extends HotcastError {
  readonly code = 'forbidden';
}

export interface LineOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly isTerminal: boolean;
  readonly print: (stream: 1 | 2, text: string) => void;
  readonly answer: AnswerQuestion;
  /** Aborted when the user interrupts it. */
  readonly signal: AbortSignal;
}

/**
 * Runs one command line on the controller. A connection serves one.
 *
 * @returns its exit status; null when the controller or the connection was lost before its end.
 * @throws RefusedError and UnavailableError when nothing was sent.
 */
export async function runLine(
  nats: NatsConnection,
  { cookie, name, seed }: Credentials,
  { args, env, isTerminal, print, answer, signal }: LineOptions,
): Promise<number | null> {
  const operation = operationOfLine(args);
  const subjects = subjectsOf(cookie);
  const inbox = `${operatorInbox(name)}.${nuid.next()}`;
  const sign = signerOf(seed);
  let onMessage = (_message: Msg): void => undefined;
  nats.subscribe(inbox, { callback: (error, message) => void (error === null && onMessage(message)) });
  const open = await openSession(nats, subjects.operator(name, operation), inbox, `${name} may not ${operation}`);
  if (open.status === 'refused') throw new RefusedError(open.message);
  const subject = subjects.operatorSession(name, operation, open.session);
  let number = 0;
  const say = (message: Heard, bytes?: Uint8Array): void => {
    // With an inbox for answers, NATS says that nobody is there any more.
    if (!nats.isClosed()) nats.publish(subject, encodeHeard(sign, subject, number, message, bytes), { reply: inbox });
    number += 1;
  };
  const pieces = new Map<number, () => void>();
  const reply = async (id: number, question: Question): Promise<void> => {
    try {
      const bytes = await answer(question, report => say({ type: 'report', report }));
      for (let at = 0; ; at += PART_BYTES) {
        const isLast = at + PART_BYTES >= bytes.length;
        const taken = new Promise<void>(resolve => pieces.set(id, resolve));
        say({ type: 'part', id, isLast }, bytes.subarray(at, at + PART_BYTES));
        if (isLast) return;
        await taken;
      }
    } catch (error) {
      say({ type: 'failed', id, error: failureOf(error) });
    }
  };

  let heardAt = performance.now();
  return new Promise<number | null>(resolve => {
    const timer = setInterval(() => {
      if (performance.now() - heardAt > ALIVE_TIMEOUT_MS) end(null);
      else say({ type: 'alive' });
    }, ALIVE_INTERVAL_MS);
    const leave = (): void => say({ type: 'leave' });
    const end = (status: number | null): void => {
      clearInterval(timer);
      signal.removeEventListener('abort', leave);
      resolve(status);
    };
    const handle = (message: Said): void => {
      switch (message.type) {
        case 'print':
          return print(message.stream, message.text);
        case 'ask':
          return void reply(message.id, message.question);
        case 'next':
          return pieces.get(message.id)?.();
        case 'end':
          return end(message.status);
        case 'alive':
          return;
        default: {
          const check: never = message;
          return check;
        }
      }
    };
    onMessage = ({ headers, data }) => {
      if (headers?.code === 503) return end(null);
      heardAt = performance.now();
      handle(decodeSaid(data));
    };
    void nats.closed().then(() => end(null));
    say({ type: 'run', args: [...args], env: { ...env }, isTerminal });
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave);
  });
}

async function openSession(
  nats: NatsConnection,
  subject: string,
  inbox: string,
  forbidden: string,
): Promise<OpenAnswer> {
  try {
    const { data } = await nats.request(subject, encode({ protocol: PROTOCOL, inbox }), { timeout: OPEN_TIMEOUT_MS });
    return decode(openAnswer, data);
  } catch (cause) {
    if (isForbidden(cause)) throw new RefusedError(`${forbidden}; nothing was sent`, { cause });
    throw new UnavailableError('no controller answers; nothing was sent', { cause });
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && (error instanceof errors.PermissionViolationError || isForbidden(error.cause));
}

/** An error as a report has it. */
function failureOf(error: unknown): object {
  if (!(error instanceof HotcastError)) {
    return { type: 'failed', code: 'fault', message: error instanceof Error ? error.message : String(error) };
  }
  const diagnostics = 'diagnostics' in error ? { diagnostics: error.diagnostics } : {};
  return { type: 'failed', code: error.code, message: error.message, ...diagnostics };
}
