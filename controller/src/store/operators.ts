import { decodeRecord, encodeRecord } from '../../../protocol/codec.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { endText, type Operator, operatorSchema } from '../../../protocol/operators/operator.ts';
import type { KeyId } from '../../../protocol/signing/keys.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import type { Keyring } from './keyring.ts';
import { isWrongLastSequence, type Stream } from './stream.ts';

/** An operator, and the position of its record; 0: there is none yet. */
interface Stored {
  readonly operator: Operator | null;
  readonly position: number;
}

/** The operators of the cookie: one signed record for each name, also of those that were revoked. */
export function createOperators(stream: Stream, subjects: Subjects, keyring: Keyring) {
  /** What an ended or a revoked key has signed does not count: whoever stole that one would make operators. */
  const read = (subject: string, data: Uint8Array): Operator | null => {
    const content = keyring.isTrusted(data) ? keyring.verify(subject, data) : null;
    return content === null ? null : decodeRecord(operatorSchema, content);
  };

  /** The key with which all records are signed. */
  let signedWith: KeyId | null = null;

  async function last(name: string): Promise<Stored> {
    const message = await stream.last(subjects.operatorRecord(name));
    if (message === null) return { operator: null, position: 0 };
    return { operator: read(message.subject, message.data), position: message.seq };
  }

  /** Writes a record after that of a position. @returns whether that was the last one; if not, nothing was written */
  async function write(operator: Operator, position: number): Promise<boolean> {
    const subject = subjects.operatorRecord(operator.name);
    try {
      const signed = keyring.sign(subject, encodeRecord(operator));
      await stream.client.publish(subject, signed, { expect: { lastSubjectSequence: position } });
    } catch (error) {
      if (isWrongLastSequence(error)) return false;
      throw error;
    }
    // An older record must not count again.
    await stream.purge(subject, 1);
    return true;
  }

  async function change(operator: Operator, position: number): Promise<void> {
    if (await write(operator, position)) return;
    throw new UsageError(
      `${operator.name} was changed at the same time; nothing was done: look at hotcast operator list`,
    );
  }

  return {
    /** All operators, also those that were revoked, by their names. */
    async operators(): Promise<Operator[]> {
      const messages = await stream.lastOfEach(subjects.operatorRecords);
      const all = messages.flatMap(({ subject, data }) => read(subject, data) ?? []);
      return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },

    /** @throws UsageError when there is one of that name. */
    async addOperator(operator: Operator): Promise<void> {
      const { operator: before, position } = await last(operator.name);
      if (before !== null && endText(before, operator.addedAt) === null) {
        throw new UsageError(
          `there is an operator ${operator.name}; revoke it first: hotcast operator revoke ${operator.name}`,
        );
      }
      await change(operator, position);
    },

    /** @returns the operator. @throws UsageError when there is none of that name. */
    async revokeOperator(name: string, revokedAt: number): Promise<Operator> {
      const { operator: before, position } = await last(name);
      if (before?.revokedAt !== null) throw new UsageError(`there is no operator ${name}; see: hotcast operator list`);
      const revoked = { ...before, revokedAt };
      await change(revoked, position);
      return revoked;
    },

    /**
     * Signs all records that count with the present key, once after it has become that. What somebody has written later with a key before
     * it is not signed again.
     *
     * @returns how many another key had signed
     */
    signOperatorsAgain: async (): Promise<number> => {
      const key = keyring.signer();
      if (key === null || key === signedWith) return 0;
      let count = 0;
      for (const { subject, data, seq } of await stream.lastOfEach(subjects.operatorRecords)) {
        const operator = keyring.isCurrent(data) ? null : read(subject, data);
        if (operator === null) continue;
        // Whoever has written it meanwhile has signed it with the present key.
        if (await write(operator, seq)) count += 1;
      }
      signedWith = key;
      return count;
    },
  };
}
