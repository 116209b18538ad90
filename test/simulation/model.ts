import type { Head } from '../../protocol/head.ts';
import { HISTORY_LENGTH } from '../../protocol/limits.ts';
import { canaryRank, type CanaryScope } from '../../protocol/canary-scope.ts';
import type { ControllerProcess, Order } from './controller-process.ts';

/** What a module's head should say. */
export interface Wish {
  readonly revision: string | null;
  readonly trial: string | null;
}

/** A head that was written, as far as it matters. */
interface Written extends Wish {
  readonly sequence: number;
  /** The sequence of the last head up to this one that clears the module's data; 0 for none. */
  readonly stateSince: number;
  /** Whether the controller wrote it by itself, to go back from the head before it. */
  readonly isBack: boolean;
  /** Whether such a head followed. */
  isUndone: boolean;
}

/** What the README says of heads, without the stream and without the nodes: of each module, the heads that count. */
export class Model {
  readonly #remembered = new Map<string, Written[]>();
  readonly #shares = new Map<string, boolean>();

  newest(module: string): Written | null {
    return this.#remembered.get(module)?.at(-1) ?? null;
  }

  /** What an order makes of a module's head; null when there is nothing to do. */
  wish(order: Order, module: string): Wish | null {
    const newest = this.newest(module);
    switch (order.type) {
      case 'push': {
        const revision = order.sources.find(({ bundle }) => bundle.module === module)?.bundle.revision ?? null;
        return order.canary === null
          ? { revision, trial: null }
          : { revision: newest?.revision ?? null, trial: revision };
      }
      case 'promote':
        return newest?.trial ? { revision: newest.trial, trial: null } : null;
      case 'remove':
        return newest?.revision || newest?.trial ? { revision: null, trial: null } : null;
      case 'repair':
        return newest === null ? null : { revision: newest.revision, trial: newest.trial };
      case 'clear':
        return newest === null ? null : { revision: null, trial: null };
      case 'rollback':
        return this.#rollback(module);
      case 'end canary':
        return newest === null || newest.trial === null ? null : { revision: newest.revision, trial: null };
      default: {
        const check: never = order;
        return check;
      }
    }
  }

  /** Takes note of a head, and says what is wrong with it. */
  write(head: Head, writer: ControllerProcess): string[] {
    const newest = this.newest(head.module);
    const kept = this.#remembered.get(head.module) ?? [];
    const { order } = writer;
    const isBack = order === null || order.type === 'end canary';
    const wish = order === null ? { revision: this.#previous(kept), trial: null } : this.wish(order, head.module);
    const written = {
      sequence: head.sequence,
      stateSince: order?.type === 'clear' ? head.sequence : (newest?.stateSince ?? 0),
      revision: head.revision,
      trial: head.canary?.revision ?? null,
      isBack,
      isUndone: false,
    };
    if (isBack && newest !== null) newest.isUndone = true;
    this.#remembered.set(head.module, lastRevisions([...kept, written]));
    const faults = {
      'says something else than was wanted': wish?.revision !== written.revision || wish.trial !== written.trial,
      'says of another head that it cleared the data': head.stateSince !== written.stateSince,
      'does not go on from the head before': head.sequence <= (newest?.sequence ?? 0),
      'was decided upon another head than the one before it':
        !isBack && writer.decidedUpon.get(head.module) !== (newest?.sequence ?? 0),
      'points back from a head that points back': isBack && newest?.isBack === true,
    };
    return Object.entries(faults).flatMap(([fault, isSo]) => (isSo ? [`${head.module}'s new head ${fault}`] : []));
  }

  /** What a node should run by a head; null for nothing. */
  desired({ revision, canary }: Pick<Head, 'revision' | 'canary'>, node: string): string | null {
    return canary !== null && this.#isIn(canary.scope, node) ? canary.revision : revision;
  }

  #rollback(module: string): Wish | null {
    const kept = this.#remembered.get(module) ?? [];
    const newest = kept.at(-1);
    if (newest === undefined) return null;
    if (newest.trial !== null) return { revision: newest.revision, trial: null };
    const revision = this.#previous(kept, [null, newest.revision]);
    return revision === null ? null : { revision, trial: null };
  }

  /** What the newest head goes back to: the last revision before it that stands, and that is not to be left. */
  #previous(kept: readonly Written[], leave: readonly (string | null)[] = []): string | null {
    const newest = kept.at(-1);
    if (newest !== undefined && newest.trial !== null) return newest.revision;
    const stands = (revision: string | null): boolean =>
      kept.findLast(each => each.revision === revision)?.isUndone === false;
    const earlier = kept.slice(0, -1).map(({ revision }) => revision);
    return earlier.findLast(revision => stands(revision) && !leave.includes(revision)) ?? null;
  }

  /** A share's answer to a name is its first one, for ever. */
  #isIn(scope: CanaryScope, node: string): boolean {
    if (scope.type === 'names') return scope.names.includes(node);
    const key = `${scope.upTo} ${node}`;
    const answer = this.#shares.get(key) ?? canaryRank(node) <= scope.upTo;
    this.#shares.set(key, answer);
    return answer;
  }
}

/** The heads of the last different revisions, however often one of them was written since, and of removals. */
function lastRevisions(written: readonly Written[]): Written[] {
  const newestFirst = written.toReversed().flatMap(({ revision }) => revision ?? []);
  const last = new Set([...new Set(newestFirst)].slice(0, HISTORY_LENGTH));
  return written.filter(({ revision }) => revision === null || last.has(revision));
}
