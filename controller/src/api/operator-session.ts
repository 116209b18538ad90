import type { Question } from '../../../protocol/operators/session.ts';
import type { Command } from './command.ts';
import type { OnReport } from './report.ts';

/** Asks an operator for what is with the sources. `onReport` receives the reports of a build. */
export type AskOperator = (question: Question, onReport?: OnReport) => Promise<Uint8Array>;

/** An operator who gives a command from afar. */
export interface OperatorSession {
  readonly name: string;
  /** @throws ForbiddenError when the operator may not give this command now. */
  readonly admit: (command: Pick<Command, 'type'>) => Promise<void>;
  readonly ask: AskOperator;
}

/** The sessions that are open, by their ids. */
export type OperatorSessions = Pick<ReadonlyMap<string, OperatorSession>, 'get'>;
