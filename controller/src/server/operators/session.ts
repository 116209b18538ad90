import { randomUUID } from 'node:crypto';

import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import * as v from 'valibot';

import { DecodeError, HotcastError, UnavailableError } from '../../../../protocol/errors.ts';
import { endText, mayDo, mayText, type Operation, type Operator } from '../../../../protocol/operators/operator.ts';
import {
  ALIVE_INTERVAL_MS,
  ALIVE_TIMEOUT_MS,
  decodeHeard,
  encodeSaid,
  type Heard,
  MAX_ANSWER_BYTES,
  type Question,
  type Said,
  signedContent,
} from '../../../../protocol/operators/session.ts';
import type { Subjects } from '../../../../protocol/subjects.ts';
import type { LogThrottle } from '../../../../shared/rates/log-throttle.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { isSignedBy } from '../../../../shared/nats/nkey.ts';
import type { RunLine } from '../../api/command-line.ts';
import type { Command } from '../../api/command.ts';
import { SourceError } from '../../api/diagnostic.ts';
import { ForbiddenError, operationOf } from '../../api/operation.ts';
import type { AskOperator, OperatorSession } from '../../api/operator-session.ts';
import { failedSchema, type OnReport, reportSchema } from '../../api/report.ts';

/** The exit status of a command line that was ended from here. */
const ENDED = 2;

/** What a build reports. The controller says how a command ends. */
const buildReport = v.pipe(
  reportSchema,
  v.check(({ type }) => type === 'progress' || type === 'warning', 'not a report of a build'),
);

/** An error of the operator's side, as it is there. */
class RemoteError extends HotcastError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Asked {
  readonly parts: Uint8Array[];
  bytes: number;
  readonly onReport: OnReport;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

export interface SessionDeps {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly runLine: RunLine;
  /** The record of an operator as it is now. */
  readonly find: (name: string) => Promise<Operator | null>;
  readonly log: Logger;
  /** Of messages that do not count. */
  readonly drops: LogThrottle;
}

/** A command line of an operator, from its first message to its exit status. */
export class Session implements OperatorSession {
  readonly id = randomUUID();
  readonly operator: Operator;
  readonly #operation: Operation;
  readonly #deps: SessionDeps;
  readonly #inbox: string;
  readonly #subject: string;
  readonly #subscription: Subscription;
  readonly #left = new AbortController();
  readonly #asked = new Map<number, Asked>();
  readonly #timer: NodeJS.Timeout;
  readonly #onEnd: () => void;
  #heardAt = performance.now();
  #number = 0;
  #questions = 0;
  #hasBegun = false;
  #hasEnded = false;

  /**
   * @param inbox of the operator.
   * @param onEnd is called when it has ended.
   */
  constructor(deps: SessionDeps, operator: Operator, operation: Operation, inbox: string, onEnd: () => void) {
    this.#deps = deps;
    this.operator = operator;
    this.#operation = operation;
    this.#inbox = inbox;
    this.#onEnd = onEnd;
    this.#subject = deps.subjects.operatorSession(operator.name, operation, this.id);
    this.#subscription = deps.nats.subscribe(this.#subject, {
      callback: (error, { data }) => {
        if (error === null) this.#receive(data);
      },
    });
    this.#timer = setInterval(() => this.#beat(), ALIVE_INTERVAL_MS);
  }

  get name(): string {
    return this.operator.name;
  }

  /** NATS refuses this too, by the subject. The record is read each time. */
  async admit(command: Pick<Command, 'type'>): Promise<void> {
    const { name } = this.operator;
    const operation = operationOf(command);
    if (operation === null) {
      throw new ForbiddenError(`${command.type} is for the machine of the controller: run it there; nothing was sent`);
    }
    const now = await this.#deps.find(name);
    const ended = now === null || now.key !== this.operator.key ? `${name} was revoked` : endText(now, Date.now());
    if (now === null || ended !== null) throw new ForbiddenError(`${ended}; nothing was sent`);
    const isOf = operation === 'read' || operation === this.#operation;
    if (!isOf || !mayDo(now, operation)) {
      this.#deps.log.warn({ operator: name, command: command.type }, 'an operator gave a command that it may not give');
      throw new ForbiddenError(forbidden(now, operation));
    }
  }

  ask: AskOperator = (question: Question, onReport = () => undefined) => {
    const id = (this.#questions += 1);
    return new Promise<Uint8Array>((resolve, reject) => {
      this.#asked.set(id, { parts: [], bytes: 0, onReport, resolve, reject });
      if (this.#hasEnded) this.#failAll();
      else this.#say({ type: 'ask', id, question });
    });
  };

  /** Ends it, with a line for the user. What has written heads is finished all the same. */
  end(why: string): void {
    this.#print(2, `hotcast: ${why}\n`);
    this.#end(ENDED);
  }

  /** The controller stops: nobody knows the result. */
  lose(): void {
    this.#end(null);
  }

  #receive(data: Uint8Array): void {
    const isSigned = isSignedBy.bind(null, this.operator.key);
    const content = signedContent(isSigned, this.#subject, this.#number, data);
    if (content === null) return this.#drop('it is not signed by its operator, or was sent before');
    this.#number += 1;
    this.#heardAt = performance.now();
    try {
      const { message, bytes } = decodeHeard(content);
      this.#handle(message, bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#drop(error.message);
    }
  }

  #drop(detail: string): void {
    const count = this.#deps.drops.count('dropped');
    if (count !== null)
      this.#deps.log.warn({ operator: this.name, detail, count }, 'messages of operators were dropped');
  }

  #handle(message: Heard, bytes: Uint8Array): void {
    switch (message.type) {
      case 'run':
        if (!this.#hasBegun) void this.#run(message);
        this.#hasBegun = true;
        return;
      case 'part':
        return this.#take(message, bytes);
      case 'failed':
        return this.#settle(message.id, asked => asked.reject(errorOf(message.error)));
      case 'report': {
        const report = v.safeParse(buildReport, message.report);
        if (!report.success) throw new DecodeError('the report is malformed');
        for (const { onReport } of this.#asked.values()) onReport(report.output);
        return;
      }
      case 'leave':
        return this.#left.abort();
      case 'alive':
        return;
      default: {
        const check: never = message;
        return check;
      }
    }
  }

  async #run({ args, env, isTerminal }: Extract<Heard, { readonly type: 'run' }>): Promise<void> {
    const { runLine, nats, log } = this.#deps;
    log.info({ operator: this.name, command: args[0] ?? '' }, 'an operator gives a command');
    try {
      const status = await runLine(
        { args, env, isTerminal },
        {
          print: (stream, text) => this.#print(stream, text),
          drained: () => nats.flush(),
          interruption: () => this.#left.signal,
          operator: { name: this.name, session: this.id },
        },
      );
      this.#end(status);
    } catch (error) {
      log.error({ err: error }, 'a command line failed');
      this.end('the controller failed (its log says more)');
    }
  }

  /** A part of an answer. The next one is sent when this one is here, so that a large answer does not fill NATS. */
  #take({ id, isLast }: Extract<Heard, { readonly type: 'part' }>, bytes: Uint8Array): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    asked.bytes += bytes.length;
    if (asked.bytes > MAX_ANSWER_BYTES) {
      const tooMuch = new RemoteError('usage', `the answer has more than ${MAX_ANSWER_BYTES} bytes; nothing was sent`);
      return this.#settle(id, ({ reject }) => reject(tooMuch));
    }
    asked.parts.push(bytes);
    if (isLast) this.#settle(id, ({ parts, resolve }) => resolve(Buffer.concat(parts)));
    else this.#say({ type: 'next', id });
  }

  #settle(id: number, how: (asked: Asked) => void): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked !== undefined) how(asked);
  }

  #beat(): void {
    const expired = endText(this.operator, Date.now());
    if (expired !== null) return this.end(expired);
    this.#say({ type: 'alive' });
    if (performance.now() - this.#heardAt < ALIVE_TIMEOUT_MS) return;
    this.#left.abort();
    this.#failAll();
    if (!this.#hasBegun) this.#end(ENDED);
  }

  #failAll(): void {
    for (const id of this.#asked.keys()) {
      this.#settle(id, ({ reject }) => reject(new UnavailableError(`${this.name} has gone; nothing was sent`)));
    }
  }

  #end(status: number | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#timer);
    this.#say({ type: 'end', status });
    this.#left.abort();
    this.#failAll();
    this.#subscription.unsubscribe();
    this.#onEnd();
  }

  #print(stream: 1 | 2, text: string): void {
    for (const piece of piecesOf(text)) this.#say({ type: 'print', stream, text: piece });
  }

  #say(message: Said): void {
    const { nats } = this.#deps;
    if (!nats.isClosed() && !nats.isDraining()) nats.publish(this.#inbox, encodeSaid(message));
  }
}

/** A message has a limit: the longest text that is printed in one, in characters. */
const MAX_PRINTED = 256 * 1024;

/** Parts of a text. None ends between the two halves of a character. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at + MAX_PRINTED - 1);
    const end = at + MAX_PRINTED - (code >= 0xd8_00 && code < 0xdc_00 ? 1 : 0);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

/** Why an operator may not do something, in one line. */
export function forbidden(operator: Operator, operation: Operation): string {
  return `${operator.name} may not ${operation}; nothing was sent (it may ${mayText(operator)})`;
}

/** The error of a build, as the operator's side had it. */
function errorOf(error: unknown): HotcastError {
  const { success, output } = v.safeParse(failedSchema, error);
  if (!success) return new DecodeError('the answer of the operator is malformed; nothing was sent');
  const { code, message, diagnostics } = output;
  if (code !== 'compile' && code !== 'types') return new RemoteError(code, message);
  const [summary = ''] = message.split('\n', 1);
  return new SourceError(code, summary, diagnostics ?? []);
}
