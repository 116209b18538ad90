import { errorsOf, levelOf, type NodeView } from '../model/node.ts';
import { Ago, Glyph, type Shape, htmlOf } from './glyph.tsx';
import { bytes, count } from './format.ts';

/** How much a tile shows: less, the more there are. */
export type Density = 'roomy' | 'dense' | 'tiny';

export function densityOf(nodes: number): Density {
  return nodes <= 48 ? 'roomy' : nodes <= 240 ? 'dense' : 'tiny';
}

const STEP_SHAPES: Readonly<Record<string, Shape>> = {
  waiting: 'waiting',
  prepare: 'half',
  commit: 'done',
  revert: 'done',
  loaded: 'done',
  refused: 'cross',
  silent: 'dash',
  kept: 'dash',
};

const STEP_WORDS: Readonly<Record<string, string>> = {
  waiting: 'waiting',
  prepare: 'prepared',
  commit: 'loaded',
  revert: 'went back',
};

function shapeOf({ state, mark }: NodeView): Shape {
  const level = levelOf(state);
  if (mark === null || level === 'bad') return level;
  return STEP_SHAPES[mark.step] ?? 'half';
}

/** What a tile says in one word: the state, or what a running push has of the node. */
export function wordOf({ state, mark }: NodeView): string {
  if (mark === null || levelOf(state) === 'bad') return state;
  return STEP_WORDS[mark.step] ?? mark.step;
}

/** Tiles change only with their nodes, and most nodes stay the same objects. */
const rendered = new WeakMap<NodeView, Map<Density, string>>();

export function tileHtml(node: NodeView, density: Density): string {
  const known = rendered.get(node) ?? new Map<Density, string>();
  rendered.set(node, known);
  let html = known.get(density);
  if (html === undefined) known.set(density, (html = htmlOf(<Tile node={node} density={density} />)));
  return html;
}

const Tile = ({ node, density }: { readonly node: NodeView; readonly density: Density }) => {
  const { name, state, why, mark, description } = node;
  const errors = errorsOf(node);
  const word = wordOf(node);
  const level = levelOf(state);
  // What is bad shows before what the last push has of the node.
  const step = level === 'bad' ? undefined : mark?.step;
  const isCalm = state === 'running' && mark === null;
  const label = `${name}: ${word}${why === '' ? '' : `, ${why}`}${errors > 0 ? `, ${errors} errors in the last minute` : ''}`;
  if (density === 'tiny')
    return (
      <li id={`node-${name}`} class="tile" data-level={level} data-step={step}>
        <a class={`dot ${shapeOf(node)}`} href={`/nodes/${name}`} data-panel title={label} aria-label={label} />
      </li>
    );
  return (
    <li id={`node-${name}`} class="tile" data-level={level} data-step={step}>
      <a href={`/nodes/${name}`} data-panel title={label}>
        <Glyph shape={shapeOf(node)} />
        <span class="name">{name}</span>
        {density === 'roomy' && !isCalm && <span class="word">{word}</span>}
        {density === 'roomy' && isCalm && (
          <span class="nums">
            {description === null
              ? 'not heard yet'
              : `${bytes(description.memoryBytes)} · ${count(description.loopDelay)} ms`}
          </span>
        )}
        {errors > 0 && <span class="errors">{errors > 99 ? '99+' : errors}</span>}
      </a>
    </li>
  );
};

/** The nodes that need a look, each with the reason. */
const Attention = ({ nodes }: { readonly nodes: readonly NodeView[] }) => {
  const rank = { bad: 0, warn: 1, note: 2, ok: 3 } as const;
  const wanting = nodes
    .filter(({ state }) => levelOf(state) === 'bad' || levelOf(state) === 'warn')
    .toSorted((a, b) => rank[levelOf(a.state)] - rank[levelOf(b.state)]);
  const shown = wanting.slice(0, 12);
  return (
    <section id="attention" class="attention" aria-labelledby="attention-title" hidden={wanting.length === 0}>
      <h2 id="attention-title">Needs a look</h2>
      <ul>
        {shown.map(node => (
          <li data-level={levelOf(node.state)}>
            <Glyph shape={levelOf(node.state)} />
            <a href={`/nodes/${node.name}`} data-panel>
              {node.name}
            </a>
            <b>{node.state}</b>
            <span class="why">{node.why}</span>
            <Ago at={node.since} plain />
          </li>
        ))}
      </ul>
      {wanting.length > shown.length && <p class="more">and {count(wanting.length - shown.length)} more</p>}
    </section>
  );
};

export function attentionHtml(nodes: readonly NodeView[]): string {
  return htmlOf(<Attention nodes={nodes} />);
}

/** How many nodes are in which state. It also tells the style sheet how large tiles are. */
export function gridHeadHtml(nodes: readonly NodeView[]): string {
  const states = new Map<string, number>();
  for (const { state } of nodes) states.set(state, (states.get(state) ?? 0) + 1);
  return htmlOf(
    <header id="grid-head" data-density={densityOf(nodes.length)}>
      <h2>Nodes</h2>
      <p class="states">
        {nodes.length === 0 && 'No node was heard yet.'}
        {[...states].map(([state, total]) => (
          <span>
            <b class="num">{count(total)}</b> {state}
          </span>
        ))}
      </p>
    </header>,
  );
}
