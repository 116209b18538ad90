import { elementOf, morph } from './morph.ts';

interface Patch {
  readonly elements: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
}

/** Without a sign of life for so long, the page is not up to date (milliseconds). */
const QUIET_MS = 5_000;

const RETRY_MS = 1_000;

/** Keeps the page as the server has it. After a cut it says so, connects again, and takes what it missed. */
export function follow(afterPatch: () => void): void {
  const live = document.getElementById('live');
  let version = document.documentElement.dataset['version'] ?? '';
  let heardAt = Date.now();
  let isLive: boolean | null = null;
  let source: EventSource | null = null;

  const say = (now: boolean): void => {
    if (now === isLive || live === null) return;
    isLive = now;
    document.documentElement.toggleAttribute('data-cut', !now);
    live.textContent = now ? 'Live' : 'Cut off: the console does not answer. Trying again.';
  };
  const hear = (event: MessageEvent<string>): void => {
    heardAt = Date.now();
    version = event.lastEventId;
    say(true);
  };
  const connect = (): void => {
    source?.close();
    const opened = new EventSource(`/events?since=${encodeURIComponent(version)}`);
    source = opened;
    opened.addEventListener('patch', event => {
      hear(event);
      apply(JSON.parse(event.data) as Patch);
      afterPatch();
    });
    opened.addEventListener('beat', hear);
    opened.addEventListener('error', () => {
      say(false);
      if (opened.readyState === EventSource.CLOSED) setTimeout(() => source === opened && connect(), RETRY_MS);
    });
  };
  connect();
  setInterval(() => {
    if (Date.now() - heardAt < QUIET_MS) return;
    say(false);
    heardAt = Date.now();
    connect();
  }, RETRY_MS);
}

function apply({ elements, lists }: Patch): void {
  const made = new Map<string, Element>();
  for (const [id, html] of Object.entries(elements)) {
    const element = elementOf(html);
    if (element === null) continue;
    const known = document.getElementById(id);
    if (known === null) made.set(id, element);
    else morph(known, element);
  }
  for (const [name, ids] of Object.entries(lists)) {
    const list = document.getElementById(name);
    if (list !== null) arrange(list, ids, made);
  }
}

/** Has a list have these elements in this order. What stays in its place is not touched. */
function arrange(list: Element, ids: readonly string[], made: ReadonlyMap<string, Element>): void {
  const wanted = new Set(ids);
  for (const child of Array.from(list.children)) if (!wanted.has(child.id)) child.remove();
  let next = list.firstElementChild;
  for (const id of ids) {
    if (next?.id === id) {
      next = next.nextElementSibling;
      continue;
    }
    const element = made.get(id) ?? document.getElementById(id);
    if (element !== null && element !== undefined) list.insertBefore(element, next);
  }
}
