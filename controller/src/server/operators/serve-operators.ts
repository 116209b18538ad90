import type { Msg } from '@nats-io/transport-node';

import { decode, encode } from '../../../../protocol/codec.ts';
import { isOperatorInbox } from '../../../../protocol/inboxes.ts';
import {
  endText,
  mayDo,
  type Operation,
  OPERATIONS,
  type Operator,
  type OperatorAnswer,
  operatorChange,
  type OperatorChange,
  operatorRequest,
} from '../../../../protocol/operators/operator.ts';
import { type OpenAnswer, openRequest } from '../../../../protocol/operators/session.ts';
import { isSpoken, PROTOCOL } from '../../../../protocol/version.ts';
import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import { LogThrottle } from '../../../../shared/rates/log-throttle.ts';
import type { OperatorSession, OperatorSessions } from '../../api/operator-session.ts';
import type { StreamStore } from '../../store/stream-store.ts';
import { forbidden, Session, type SessionDeps } from './session.ts';

/** How many command lines of one operator run at once, and of all. */
const MAX_SESSIONS = 16;
const MAX_ALL_SESSIONS = 256;

interface OperatorsDeps extends Omit<SessionDeps, 'find' | 'drops'> {
  readonly store: Pick<StreamStore, 'operators'>;
}

export interface OperatorServer extends OperatorSessions, Disposable {}

/**
 * Serves operators who give commands from afar, over NATS. NATS has admitted them, and lets each speak under its own name and of what it may
 * do. This looks at both again: a session verifies the signature of each message with the key of the operator's record, and each
 * command is compared with what the record allows. Disposing it ends the open sessions.
 */
export function serveOperators({ store, ...deps }: OperatorsDeps): OperatorServer {
  const { nats, subjects, log } = deps;
  const sessions = new Map<string, Session>();
  const drops = new LogThrottle();
  const find = async (name: string): Promise<Operator | null> =>
    (await store.operators()).find(each => each.name === name) ?? null;

  const open = async ({ subject, reply, data }: Msg): Promise<void> => {
    const [name = '', operation = ''] = subject.split('.').slice(-2);
    // The answer must not go to another subject.
    if (!isOperatorInbox(reply, name)) return;
    const answer = (message: OpenAnswer): void => nats.publish(reply, encode(message));
    const { protocol, inbox } = decode(openRequest, data);
    if (!isOperatorInbox(inbox, name)) return;
    if (!isSpoken(protocol)) {
      const why = `this hotcast is of another release (protocol ${protocol}, the controller speaks ${PROTOCOL})`;
      return answer({ status: 'refused', message: `${why}; nothing was sent: install hotcast ${PACKAGE_VERSION}` });
    }
    const operator = await find(name);
    const ended = operator === null ? `${name} is no operator` : endText(operator, Date.now());
    if (operator === null || ended !== null) {
      // Its connection should have been closed.
      if (operator !== null) tellOfChange(operator);
      return answer({ status: 'refused', message: `${ended}; nothing was sent` });
    }
    if (!isOperation(operation) || !mayDo(operator, operation)) {
      log.warn({ operator: name, operation }, 'an operator asked for what it may not do');
      return answer({ status: 'refused', message: forbidden(operator, operation as Operation) });
    }
    if ([...sessions.values()].filter(each => each.name === name).length >= MAX_SESSIONS) {
      return answer({ status: 'refused', message: `${name} runs ${MAX_SESSIONS} commands already; nothing was sent` });
    }
    if (sessions.size >= MAX_ALL_SESSIONS) {
      return answer({
        status: 'refused',
        message: `operators run ${MAX_ALL_SESSIONS} commands already; nothing was sent`,
      });
    }
    const session: Session = new Session({ ...deps, find, drops }, operator, operation, inbox, () =>
      sessions.delete(session.id),
    );
    sessions.set(session.id, session);
    // NATS knows the subscription of the session before the operator does.
    answer({ status: 'open', session: session.id });
  };

  const tellOfChange = ({ name, key }: Operator): void =>
    nats.publish(subjects.operatorChange, encode({ name, key } satisfies OperatorChange));

  const findByKey = async (message: Msg): Promise<void> => {
    const { key } = decode(operatorRequest, message.data);
    const now = Date.now();
    const found = (await store.operators()).find(each => each.key === key && endText(each, now) === null);
    const answer = (): OperatorAnswer => {
      if (found === undefined) return { status: 'unknown' };
      const { name, may, expiresAt } = found;
      return { status: 'operator', name, may, expiresAt };
    };
    message.respond(encode(answer()));
  };

  const endRevoked = async ({ data }: Msg): Promise<void> => {
    const { name, key } = decode(operatorChange, data);
    const now = await find(name);
    const ended = now?.key === key ? endText(now, Date.now()) : `${name} was revoked`;
    if (ended === null) return;
    for (const session of sessions.values()) {
      if (session.name === name && session.operator.key === key) session.end(ended);
    }
  };

  const handlers: readonly [string, (message: Msg) => Promise<void>][] = [
    [subjects.operators, open],
    [subjects.operatorKey, findByKey],
    [subjects.operatorChange, endRevoked],
  ];
  const handleOrWarn = async (handle: (message: Msg) => Promise<void>, message: Msg): Promise<void> => {
    try {
      await handle(message);
    } catch (error) {
      log.warn({ err: error, subject: message.subject }, 'a message of an operator could not be answered');
    }
  };
  const subscriptions = handlers.map(([subject, handle]) =>
    nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) void handleOrWarn(handle, message);
      },
    }),
  );
  return {
    get: (id): OperatorSession | undefined => sessions.get(id),
    [Symbol.dispose]: () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
      for (const session of sessions.values()) session.lose();
    },
  };
}

function isOperation(text: string): text is Operation {
  return OPERATIONS.some(each => each === text);
}
