import type { Assignment } from '../../node-image/src/modules/heads.ts';
import { CodeServer } from '../../node-image/src/modules/code-server.ts';
import type { LoadResult, Refused } from '../../node-image/src/modules/load-result.ts';
import type { recordingLog } from '../unit/fixtures.ts';
import { MAX_DRAINING, type NodeModel } from './node-model.ts';

/** A code server with the model beside it: what the one does with heads, the other foretells. */
export class ModelledCodeServer extends CodeServer {
  readonly #model: NodeModel;
  readonly #log: ReturnType<typeof recordingLog>;

  constructor(log: ReturnType<typeof recordingLog>, model: NodeModel) {
    const memoryExcess = () => (model.isMemoryScarce ? 'memory is scarce' : null);
    super(log, { draining: { maxVersions: MAX_DRAINING, memoryExcess } });
    this.#model = model;
    this.#log = log;
  }

  override commit(heads: readonly Assignment[]): LoadResult {
    return this.#model.commit(heads, onLoaded => this.#watch(() => super.commit(heads), onLoaded));
  }

  override retry(heads: readonly Assignment[]): LoadResult {
    return this.#model.retry(heads, onLoaded => this.#watch(() => super.retry(heads), onLoaded));
  }

  override refuse(heads: readonly Pick<Assignment, 'module' | 'sequence'>[], refusal: Refused): Refused {
    this.#model.refused(heads, refusal.reason);
    return super.refuse(heads, refusal);
  }

  #watch(attempt: () => LoadResult, onLoaded: (modules: readonly string[]) => void = () => undefined): LoadResult {
    const { logged } = this.#log;
    const from = logged.length;
    const result = attempt();
    onLoaded(logged.slice(from).flatMap(({ message, fields }) => (message === 'loaded' ? [moduleIn(fields)] : [])));
    return result;
  }
}

function moduleIn(fields: object): string {
  return 'module' in fields ? String(fields.module) : '';
}
