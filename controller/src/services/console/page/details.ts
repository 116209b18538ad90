import { unpackMap } from '../../../../../protocol/bundle.ts';
import { revisionsOf } from '../../../../../protocol/head.ts';
import { compareNodes, isModuleName, isNodeName } from '../../../../../protocol/names.ts';
import type { Questions } from '../feed/questions.ts';
import type { Records } from '../feed/records.ts';
import { diffOf, sourcesIn } from '../model/diff.ts';
import type { Fleet } from '../model/fleet.ts';
import { missingHtml, nodePanelHtml, type RevisionErrors } from './panel.tsx';
import { revisionPanelHtml } from './revision.tsx';

interface DetailDeps {
  readonly fleet: () => Fleet;
  /** Null while there is no connection. */
  readonly records: () => Records | null;
  readonly questions: () => Questions | null;
}

/** A node is asked for the errors of so many modules at most. */
const MAX_ASKED = 20;

const REVISION = /^[0-9a-f]{12,64}$/;

/** What the panels say. Some of it is not in the model: it is asked for when a panel is opened. */
export function createDetails({ fleet, records, questions }: DetailDeps) {
  async function errorsOn(name: string, modules: readonly string[]): Promise<RevisionErrors[]> {
    const asking = questions();
    if (asking === null) return [];
    const answers = await Promise.all(
      modules.slice(0, MAX_ASKED).map(async module => {
        const answer = await asking.errors(name, module);
        return (answer?.revisions ?? []).map(each => ({ module, ...each }));
      }),
    );
    return answers.flat();
  }

  /** The panel of a node; null when there is no such node. */
  async function node(name: string): Promise<string | null> {
    const view = isNodeName(name) ? fleet().nodes.get(name) : undefined;
    if (view === undefined) return null;
    const failing = Object.entries(view.description?.modules ?? {}).filter(([, { errors }]) => errors > 0);
    const names = failing.map(([module]) => module);
    const [errors, said] = await Promise.all([errorsOn(name, names), questions()?.describe(name) ?? null]);
    return nodePanelHtml(fleet(), fleet().nodes.get(name) ?? view, errors, said?.owned ?? null);
  }

  /** The panel of a revision, or of a module's newest one; null when there is no such revision. */
  async function revision(module: string, wanted: string | null): Promise<string | null> {
    if (!isModuleName(module) || (wanted !== null && !REVISION.test(wanted))) return null;
    const { heads, nodes, moments } = fleet();
    const known = (await records()?.history(module)) ?? [];
    const newest = heads.get(module) ?? known.at(-1);
    const all = [...new Set([...known, ...(newest === undefined ? [] : [newest])].flatMap(revisionsOf))];
    const full =
      wanted === null ? (newest?.canary?.revision ?? newest?.revision) : all.find(each => each.startsWith(wanted));
    if (full === undefined || full === null) return null;
    const naming = known.filter(head => revisionsOf(head).includes(full));
    const before = beforeOf(known.flatMap(revisionsOf), full);
    const running = [...nodes.values()].filter(({ description }) => description?.modules[module]?.revision === full);
    const failing = running.find(({ description }) => (description?.modules[module]?.errors ?? 0) > 0);
    const errors = failing === undefined ? [] : await errorsOn(failing.name, [module]);
    return revisionPanelHtml(fleet(), {
      module,
      revision: full,
      heads: naming,
      before,
      diff: before === null ? null : await diffBetween(module, before, full),
      nodes: running.map(({ name }) => name).toSorted(compareNodes),
      moments: moments
        .filter(({ subjects }) => subjects.some(subject => subject.name === module && subject.revision === full))
        .slice(0, 12),
      errors: errors.filter(each => each.revision === full && each.errors.length > 0),
    });
  }

  async function diffBetween(module: string, before: string, after: string) {
    const [from, to] = await Promise.all([before, after].map(async each => records()?.bundle(module, each) ?? null));
    if (!from || !to) return null;
    return diffOf(sourcesIn(unpackMap(from.map)), sourcesIn(unpackMap(to.map)));
  }

  return {
    node: async (name: string): Promise<string> => (await node(name)) ?? missingHtml('Node', name),
    revision: async (module: string, wanted: string | null): Promise<string> =>
      (await revision(module, wanted)) ?? missingHtml('Revision', wanted === null ? module : `${module}@${wanted}`),
  };
}

export type Details = ReturnType<typeof createDetails>;

/** The revision that was named before another one was named first. */
function beforeOf(revisions: readonly string[], of: string): string | null {
  const at = revisions.indexOf(of);
  return revisions.slice(0, Math.max(0, at)).findLast(each => each !== of) ?? null;
}
