interface Entry {
  readonly at: number;
  readonly module: string;
  readonly revision: string;
  readonly level: string;
  readonly text: string;
}

interface Message {
  readonly logged: readonly { readonly node: string; readonly entries: readonly Entry[]; readonly dropped: number }[];
  readonly dropped: number;
}

/** So many lines stay on the page. */
const KEPT = 400;

const RETRY_MS = 1_000;

const LEVELS = ['info', 'warn', 'error'];

/** Shows what modules log, while its section is open. */
export function tailLogs(): void {
  const section = document.querySelector<HTMLDetailsElement>('#logs');
  const lines = document.getElementById('log-lines');
  const form = document.querySelector<HTMLFormElement>('#log-filter');
  if (section === null || lines === null || form === null) return;
  form.hidden = false;
  let source: EventSource | null = null;

  const filter = () => {
    const data = new FormData(form);
    return { text: textOf(data.get('text')).toLowerCase(), level: LEVELS.indexOf(textOf(data.get('level'))) };
  };
  const refilter = (): void => {
    const { text, level } = filter();
    for (const line of lines.children) {
      if (line instanceof HTMLElement)
        line.hidden = !passes(line.textContent, line.dataset['level'] ?? '', text, level);
    }
  };
  const add = ({ logged, dropped }: Message): void => {
    const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    const { text, level } = filter();
    const left = logged.reduce((sum, message) => sum + message.dropped, dropped);
    for (const { node, entries } of logged) {
      for (const entry of entries) {
        const line = lineOf(node, entry);
        line.hidden = !passes(line.textContent, entry.level, text, level);
        lines.append(line);
      }
    }
    if (left > 0) lines.append(element('li', 'dropped', `${left} entries were more than is sent`));
    while (lines.children.length > KEPT) lines.firstElementChild?.remove();
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
  };

  const connect = (): void => {
    const opened = new EventSource('/logs');
    source = opened;
    opened.addEventListener('logged', event => add(JSON.parse(event.data) as Message));
    // The browser tries again after a cut, and gives up when the console answers that it can't.
    opened.addEventListener('error', () => {
      if (opened.readyState === EventSource.CLOSED) setTimeout(() => source === opened && connect(), RETRY_MS);
    });
  };
  section.addEventListener('toggle', () => {
    source?.close();
    source = null;
    if (section.open) connect();
  });
  form.addEventListener('input', refilter);
  form.addEventListener('submit', event => event.preventDefault());
}

function passes(line: string, ofLine: string, text: string, level: number): boolean {
  return LEVELS.indexOf(ofLine) >= level && line.toLowerCase().includes(text);
}

function lineOf(node: string, { at, module, level, text }: Entry): HTMLElement {
  const line = element('li', 'line', '');
  line.dataset['level'] = level;
  line.append(
    element('time', '', new Date(at).toLocaleTimeString('en-GB')),
    element('b', '', node),
    element('i', '', module),
    ...(level === 'info' ? [] : [element('em', '', level)]),
    element('span', '', text),
  );
  return line;
}

/** What modules log is text, whatever is in it. */
function element(tag: string, name: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  if (name !== '') made.className = name;
  made.textContent = text;
  return made;
}

function textOf(value: FormDataEntryValue | null): string {
  return typeof value === 'string' ? value : '';
}
