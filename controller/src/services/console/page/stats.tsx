import { type Fleet, isControllerGone } from '../model/fleet.ts';
import { errorsOf, type Level, levelOf, type NodeView } from '../model/node.ts';
import { BUCKET_MS, type Values } from '../model/series.ts';
import { isOnHead } from '../../../../../protocol/head.ts';
import { Chart } from './charts.tsx';
import { bytes, count, some } from './format.ts';
import { Ago, Glyph, htmlOf } from './glyph.tsx';

interface StatProps {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly level?: 'ok' | 'warn' | 'bad';
  readonly children?: unknown;
}

const Stat = ({ name, value, unit = '', level = 'ok', children }: StatProps) => (
  <div class="stat" data-level={level}>
    <dt>{name}</dt>
    <dd>
      <p>
        <span class="value">{value}</span> <span class="unit">{unit}</span>
      </p>
      {children}
    </dd>
  </div>
);

/** The numbers of the fleet, with their last ten minutes. */
const Stats = ({ fleet, nodes }: { readonly fleet: Fleet; readonly nodes: readonly NodeView[] }) => {
  const { heads, series, storage } = fleet;
  const present = nodes.filter(({ leftAt }) => leftAt === null);
  const well = present.filter(({ state }) => levelOf(state) === 'ok' || state === 'debugged').length;
  const following = present.filter(
    ({ name, description }) =>
      description !== null && [...heads.values()].every(head => isOnHead(head, name, description.modules[head.module])),
  ).length;
  const errors = present.reduce((sum, node) => sum + errorsOf(node), 0);
  const seconds = BUCKET_MS / 1_000;
  const rateOf = (values: Values): number => (values.at(-2) ?? values.at(-1) ?? 0) / seconds;
  const delay = Math.max(0, ...present.map(({ description }) => description?.loopDelay ?? 0));
  const memory = series.memory.findLast(value => value !== null) ?? 0;
  const share = storage === null || storage.maxBytes <= 0 ? null : (100 * storage.bytes) / storage.maxBytes;
  return (
    <dl id="stats" class="stats">
      <Stat
        name="Nodes well"
        value={count(well)}
        unit={`of ${count(present.length)}`}
        level={well === present.length ? 'ok' : 'bad'}
      >
        <Share part={well} of={present.length} />
      </Stat>
      {heads.size === 0 ? (
        <Stat name="Heads" value="0" unit="none pushed yet" />
      ) : (
        <Stat
          name={`On ${heads.size === 1 ? 'the head' : `${count(heads.size)} heads`}`}
          value={count(following)}
          unit={`of ${count(present.length)}`}
          level={following === present.length ? 'ok' : 'warn'}
        >
          <Share part={following} of={present.length} />
        </Stat>
      )}
      <Stat name="Calls" value={count(rateOf(series.calls))} unit="per second">
        <Chart values={series.calls} label="Calls, last ten minutes" />
      </Stat>
      <Stat name="HTTP requests" value={count(rateOf(series.requests))} unit="per second">
        <Chart values={series.requests} label="HTTP requests, last ten minutes" />
      </Stat>
      <Stat name="Errors" value={count(errors)} unit="in the last minute" level={errors > 0 ? 'bad' : 'ok'}>
        <Chart values={series.errors} label="Errors, last ten minutes" />
      </Stat>
      <Stat
        name="Event-loop delay"
        value={count(delay)}
        unit="ms, the longest"
        level={delay > 1_000 ? 'bad' : delay > 200 ? 'warn' : 'ok'}
      >
        <Chart values={series.loopDelay} label="The longest event-loop delay, last ten minutes" />
      </Stat>
      <Stat name="Memory" value={bytes(memory)} unit="a node">
        <Chart values={series.memory} label="The mean memory of a node, last ten minutes" />
      </Stat>
      {share !== null && storage !== null && (
        <Stat
          name="Stream"
          value={bytes(storage.bytes)}
          unit={`of ${bytes(storage.maxBytes)}`}
          level={share > 95 ? 'bad' : share > 80 ? 'warn' : 'ok'}
        >
          <Share part={storage.bytes} of={storage.maxBytes} />
        </Stat>
      )}
    </dl>
  );
};

const Share = ({ part, of }: { readonly part: number; readonly of: number }) => (
  <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    <rect class="rest" width="100" height="6" />
    <rect class="done" width={of === 0 ? 0 : Math.max(part > 0 ? 0.5 : 0, (100 * part) / of)} height="6" />
  </svg>
);

/** What hides the view on the fleet, in plain words. */
const Notice = ({ fleet }: { readonly fleet: Fleet }) => {
  const { cutSince, controllerAt, startedAt, rosterProblem, storage } = fleet;
  const lines: unknown[] = [];
  if (cutSince !== null)
    lines.push(
      <>
        <b>No connection to NATS</b> for <Ago at={cutSince} plain />. What follows is the last that was known; it goes
        on by itself.
      </>,
    );
  else if (isControllerGone(fleet))
    lines.push(
      <>
        <b>No controller.</b> Nothing was heard of it for <Ago at={controllerAt ?? startedAt} plain />. The nodes run
        on; nothing can be pushed.
      </>,
    );
  if (cutSince === null && rosterProblem !== null)
    lines.push(
      <>
        <b>Containers unknown:</b> {rosterProblem}. Only nodes that are heard are shown.
      </>,
    );
  if (storage !== null && storage.maxBytes > 0 && storage.bytes > 0.95 * storage.maxBytes)
    lines.push(
      <>
        <b>The stream is full</b> ({bytes(storage.bytes)} of {bytes(storage.maxBytes)}): pushes fail. Raise
        STREAM_MAX_MB.
      </>,
    );
  return (
    <div id="notice" class="notice" role="status">
      {lines.map(line => (
        <p>{line}</p>
      ))}
    </div>
  );
};

/** One sentence on the whole fleet, and where one is. */
const Header = ({ fleet, nodes }: { readonly fleet: Fleet; readonly nodes: readonly NodeView[] }) => {
  const levels = nodes.map(({ state }) => levelOf(state));
  const [bad, warn] = ['bad', 'warn'].map(level => levels.filter(each => each === level).length);
  const isCut = fleet.cutSince !== null;
  const level: Level = isCut || (bad ?? 0) > 0 || isControllerGone(fleet) ? 'bad' : (warn ?? 0) > 0 ? 'warn' : 'ok';
  const text = isCut
    ? 'No connection'
    : isControllerGone(fleet)
      ? 'No controller'
      : nodes.length === 0
        ? 'No nodes yet'
        : level === 'ok'
          ? 'All is well'
          : `${some((bad ?? 0) + (warn ?? 0), 'node')} ${(bad ?? 0) + (warn ?? 0) === 1 ? 'needs' : 'need'} a look`;
  return (
    <header id="top" class="top" data-level={level} data-link={isCut ? 'cut' : 'up'}>
      <h1>
        <a class="brand" href="/">
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M8.8.8C9.3 4 5 5.200 5 8.600c0 .9.3 1.600.8 2.200C4.100 10.200 3.200 9 3 7.500 1.900 8.700 1.500 9.800 1.500 11c0 2.600 2.900 4.200 6.500 4.200s6.500-1.700 6.500-4.700C14.500 6.500 11 4.800 8.800.8z" />
          </svg>
          Hotcast
        </a>
      </h1>
      <span class="cookie">{fleet.cookie}</span>
      <span class="verdict">
        <Glyph shape={level} /> {text}
      </span>
    </header>
  );
};

export const headerHtml = (fleet: Fleet, nodes: readonly NodeView[]): string =>
  htmlOf(<Header fleet={fleet} nodes={nodes} />);
export const statsHtml = (fleet: Fleet, nodes: readonly NodeView[]): string =>
  htmlOf(<Stats fleet={fleet} nodes={nodes} />);
export const noticeHtml = (fleet: Fleet): string => htmlOf(<Notice fleet={fleet} />);
