import { compareNodes } from '../../../../../protocol/names.ts';
import type { Regions } from '../http/hub.ts';
import type { Fleet } from '../model/fleet.ts';
import type { NodeView } from '../model/node.ts';
import { changeHtml, momentElement } from './change.tsx';
import { chartsHtml } from './charts.tsx';
import { moduleHtml } from './modules.tsx';
import { attentionHtml, densityOf, gridHeadHtml, tileHtml } from './nodes.tsx';
import { headerHtml, noticeHtml, statsHtml } from './stats.tsx';

/** What sums over all nodes and modules is drawn at most so often (milliseconds). */
const SUMS_MS = 500;

/** The nodes in their order. They are sorted again only when one came or went. */
function sorter() {
  let last: readonly string[] = [];
  return (nodes: Fleet['nodes']): NodeView[] => {
    if (last.length !== nodes.size || last.some(name => !nodes.has(name)))
      last = [...nodes.keys()].toSorted(compareNodes);
    return last.flatMap(name => nodes.get(name) ?? []);
  };
}

/** Draws the page, part by part. A part that has not changed is the same text. */
export function createView(): (fleet: Fleet) => Regions {
  const sorted = sorter();
  let sums = new Map<string, string>();
  let drawn: Fleet | null = null;
  return fleet => {
    const nodes = sorted(fleet.nodes);
    const density = densityOf(nodes.length);
    if (
      drawn === null ||
      drawn.heads !== fleet.heads ||
      drawn.cutSince !== fleet.cutSince ||
      fleet.now - drawn.now >= SUMS_MS
    ) {
      sums = new Map([
        ['stats', statsHtml(fleet, nodes)],
        ['charts', chartsHtml(fleet)],
        ...modulesOf(fleet).map(head => [`module-${head.module}`, moduleHtml(head, nodes)] as const),
      ]);
      drawn = fleet;
    }
    const elements = new Map([
      ...sums,
      ['top', headerHtml(fleet, nodes)],
      ['attention', attentionHtml(nodes)],
      ['notice', noticeHtml(fleet)],
      ['grid-head', gridHeadHtml(nodes)],
      ['change', changeHtml(fleet)],
      ...nodes.map(node => [`node-${node.name}`, tileHtml(node, density)] as const),
      ...fleet.moments.map(momentElement),
    ]);
    const lists = new Map<string, readonly string[]>([
      ['grid', nodes.map(({ name }) => `node-${name}`)],
      ['modules', modulesOf(fleet).map(({ module }) => `module-${module}`)],
      ['timeline', fleet.moments.map(moment => momentElement(moment)[0])],
    ]);
    return { elements, lists };
  };
}

function modulesOf({ heads }: Fleet) {
  return [...heads.values()].toSorted((a, b) => (a.module < b.module ? -1 : 1));
}
