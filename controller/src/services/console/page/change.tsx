import { shortRevision } from '../../../../../protocol/revision.ts';
import type { Change, Phase } from '../model/change.ts';
import type { Fleet } from '../model/fleet.ts';
import { type Moment, subjectText } from '../model/timeline.ts';
import { count, duration } from './format.ts';
import { Ago, Glyph, type Shape, htmlOf } from './glyph.tsx';

const OUTCOME_SHAPES: Readonly<Record<string, Shape>> = {
  committed: 'done',
  done: 'done',
  unchanged: 'dash',
  failed: 'cross',
  refused: 'cross',
  reverted: 'cross',
  'rolled-back': 'cross',
};

/** The change that runs, or the last one. */
const ChangeCard = ({ fleet: { change } }: { readonly fleet: Fleet }) => {
  if (change === null) return <section id="change" class="change" hidden />;
  const { command, author, modules, message, commit, phases, startedAt, result } = change;
  const shown = modules.slice(0, 4);
  return (
    <section id="change" class="change" data-outcome={result?.outcome ?? 'running'} aria-labelledby="change-title">
      <header>
        <h2 id="change-title">
          {result === null ? (
            <span class="pulse" aria-hidden="true" />
          ) : (
            <Glyph shape={OUTCOME_SHAPES[result.outcome] ?? 'dash'} />
          )}
          {command} <span class="outcome">{result === null ? 'runs' : result.outcome}</span>
        </h2>
        <Ago at={result?.endedAt ?? startedAt} />
      </header>
      <p class="what">
        {shown.map(({ module, revision }) => (
          <code>{revision === null ? module : `${module}@${shortRevision(revision)}`}</code>
        ))}
        {modules.length > shown.length && <span class="dim">and {count(modules.length - shown.length)} more</span>}
      </p>
      {message !== '' && <p class="said">{message}</p>}
      <ol class="phases">
        {phases.length === 0 && result === null && <li class="running">build</li>}
        {phases.map((phase, index) => (
          <PhaseRow phase={phase} ms={result?.times[phase.name] ?? msOf(phase, phases[index + 1], result)} />
        ))}
      </ol>
      {result !== null && <ResultLine change={change} />}
      <p class="dim">
        by {author}
        {commit !== '' && ` at ${commit}`}
      </p>
    </section>
  );
};

/** How long a phase took as the console has seen it, until the next one; null while it runs. */
function msOf({ startedAt }: Phase, next: Phase | undefined, result: Change['result']): number | null {
  const until = next?.startedAt ?? result?.endedAt;
  return until === undefined ? null : until - startedAt;
}

const PhaseRow = ({ phase, ms }: { readonly phase: Phase; readonly ms: number | null }) => {
  const { name, answered, expected } = phase;
  const share = expected === 0 ? 1 : Math.min(1, answered / expected);
  return (
    <li class={ms === null ? 'running' : ''}>
      <span class="phase">{name}</span>
      <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="rest" width="100" height="6" />
        <rect class="done" width={100 * share} height="6" />
      </svg>
      <span class="num">
        {count(answered)}/{count(expected)}
      </span>
      <span class="num ms">{ms === null ? '' : duration(ms)}</span>
    </li>
  );
};

const ResultLine = ({ change: { result } }: { readonly change: Change }) => {
  if (result === null) return null;
  const { ms, skew, counts, detail } = result;
  const parts = [
    ...counts.map(([status, nodes]) => `${count(nodes)} ${status}`),
    `${duration(ms)} in all`,
    ...(skew === null ? [] : [`skew ${duration(skew)}`]),
  ];
  return (
    <>
      <p class="result num">{parts.join(' · ')}</p>
      {detail !== '' && counts.length === 0 && <p class="detail">{detail}</p>}
    </>
  );
};

const LEVEL_SHAPES: Readonly<Record<Moment['level'], Shape>> = { ok: 'done', note: 'note', warn: 'warn', bad: 'cross' };

/** Moments never change. */
const rendered = new WeakMap<Moment, readonly [id: string, html: string]>();

/** The id of a moment's element, and its HTML. */
export function momentElement(moment: Moment): readonly [id: string, html: string] {
  const known = rendered.get(moment);
  if (known !== undefined) return known;
  const id = `moment-${moment.key.replaceAll(/[^\w-]/g, '_')}`;
  const element = [id, htmlOf(<Row id={id} moment={moment} />)] as const;
  rendered.set(moment, element);
  return element;
}

const Row = ({ id, moment }: { readonly id: string; readonly moment: Moment }) => {
  const { at, level, what, subjects, outcome, detail, author, message, commit } = moment;
  const shown = subjects.slice(0, 3);
  return (
    <li id={id} class="moment" data-level={level}>
      <Glyph shape={LEVEL_SHAPES[level]} />
      <div>
        <p class="head">
          <span class="what">{what}</span>
          {shown.map(subject => (
            <a href={hrefOf(subject)} data-panel>
              {subjectText(subject)}
            </a>
          ))}
          {subjects.length > shown.length && <span class="dim">+{subjects.length - shown.length}</span>}
          {outcome !== '' && outcome !== 'done' && <span class="outcome">{outcome}</span>}
        </p>
        {message !== '' && <p class="said">{message}</p>}
        {detail !== '' && (level !== 'ok' || message === '') && <p class="detail">{detail}</p>}
        <p class="dim">
          <Ago at={at} />
          {author !== '' && ` by ${author}`}
          {commit !== '' && ` at ${commit}`}
        </p>
      </div>
    </li>
  );
};

function hrefOf({ kind, name, revision = '' }: Moment['subjects'][number]): string {
  if (kind === 'node') return `/nodes/${name}`;
  return kind === 'revision' ? `/revisions/${name}/${revision}` : `/revisions/${name}`;
}

export function changeHtml(fleet: Fleet): string {
  return htmlOf(<ChangeCard fleet={fleet} />);
}
