import * as v from 'valibot';

import { count } from '../schemas.ts';

/**
 * What an operator can be allowed. Each class is a token of the subjects on which operators speak, so NATS refuses what it was not
 * allowed, and the controller does so on its own.
 */
export const OPERATIONS = ['read', 'logs', 'call', 'push', 'rollback', 'remove', 'purge', 'repair'] as const;

export type Operation = (typeof OPERATIONS)[number];

/** What somebody can be allowed. Every operator may read. */
export const GRANTED = ['logs', 'call', 'push', 'rollback', 'remove', 'purge', 'repair'] as const satisfies Operation[];

/** As a token of a subject, and as the name of a file. */
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

export const OPERATOR_RULE = '1 to 32 lower-case letters, digits or dashes, no dash first';

export const isOperatorName = (text: string): boolean => NAME.test(text);

export const operatorName = v.pipe(
  v.string(),
  v.check(
    isOperatorName,
    ({ input }) => `${JSON.stringify(input)} is not an operator's name: it must be ${OPERATOR_RULE}`,
  ),
);

export const operatorKey = v.pipe(v.string(), v.regex(/^U[A-Z2-7]{55}$/, 'not the public key of a user'));

/** The record of an operator in the stream. */
export const operatorSchema = v.object({
  name: operatorName,
  /** The public half of its key (nkey). */
  key: operatorKey,
  may: v.pipe(v.array(v.picklist(GRANTED)), v.readonly()),
  addedBy: v.string(),
  /** Milliseconds since 1970. */
  addedAt: count,
  /** When it expires, by the clock of the controller; null: never. */
  expiresAt: v.nullable(count),
  /** When it was revoked; null: it was not. */
  revokedAt: v.nullable(count),
});

export type Operator = Readonly<v.InferOutput<typeof operatorSchema>>;

/** What an operator may do, as long as it was not revoked and has not expired. */
export function mayDo({ may }: Pick<Operator, 'may'>, operation: Operation): boolean {
  return operation === 'read' || may.includes(operation);
}

/** Why an operator may do nothing at a moment (milliseconds since 1970); null: it may. */
export function endText(operator: Pick<Operator, 'name' | 'expiresAt' | 'revokedAt'>, now: number): string | null {
  const { name, expiresAt, revokedAt } = operator;
  if (revokedAt !== null) return `${name} was revoked`;
  return expiresAt !== null && expiresAt <= now ? `${name} expired at ${new Date(expiresAt).toISOString()}` : null;
}

/** What an operator may do, in words: `read, push and rollback`. */
export function mayText({ may }: Pick<Operator, 'may'>): string {
  const all = ['read', ...may];
  return all.length === 1 ? 'read' : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** The auth callout asks the controller whether a key is that of an operator. */
export const operatorRequest = v.object({ key: operatorKey });

export const operatorAnswer = v.variant('status', [
  v.object({
    status: v.literal('operator'),
    name: operatorName,
    may: operatorSchema.entries.may,
    expiresAt: operatorSchema.entries.expiresAt,
  }),
  v.object({ status: v.literal('unknown') }),
]);

/** The controller says that an operator may be gone: the auth callout asks, and closes its connections. */
export const operatorChange = v.object({ name: operatorName, key: operatorKey });

export type OperatorRequest = v.InferOutput<typeof operatorRequest>;
export type OperatorAnswer = v.InferOutput<typeof operatorAnswer>;
export type OperatorChange = v.InferOutput<typeof operatorChange>;

/** The name of an operator's NATS user: nobody chooses it, so its connections are found by it. No node's name has a space. */
export const operatorUser = ({ name, key }: OperatorChange): string => `operator ${name} ${key}`;
