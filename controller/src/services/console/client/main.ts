import { follow } from './live.ts';
import { tailLogs } from './logs.ts';
import { openPanels } from './panel.ts';

/** How far the clock of the server is ahead of this one (milliseconds). */
const offset = Number(document.documentElement.dataset['now']) - Date.now();

/** Writes how long ago things were. The server does the same in page/format.ts. */
function writeAges(): void {
  const now = Date.now() + offset;
  for (const time of document.querySelectorAll<HTMLTimeElement>('time[data-age]')) {
    const text = age(now - Date.parse(time.dateTime));
    const shown = time.dataset['age'] === 'plain' ? text : `${text} ago`;
    if (time.textContent !== shown) time.textContent = shown;
    if (time.title === '') time.title = new Date(time.dateTime).toLocaleString();
  }
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Buttons that copy a command. Without a script there are none: the command can be selected. */
function showCopyButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-copy]')) button.hidden = false;
}

async function copy(button: HTMLButtonElement): Promise<void> {
  await navigator.clipboard.writeText(button.dataset['copy'] ?? '');
  button.textContent = 'Copied';
  setTimeout(() => (button.textContent = 'Copy'), 1_500);
}

/** Arrow keys go from tile to tile. */
function walkGrid(event: KeyboardEvent): void {
  const tile = event.target instanceof Element ? event.target.closest('.tile') : null;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 0, ArrowUp: 0 }[event.key];
  if (tile === null || step === undefined) return;
  event.preventDefault();
  const tiles = [...(tile.parentElement?.children ?? [])];
  const at = tiles.indexOf(tile);
  const top = tile.getBoundingClientRect().top;
  const columns = Math.max(1, tiles.filter(each => each.getBoundingClientRect().top === top).length);
  const to = at + (step === 0 ? (event.key === 'ArrowDown' ? columns : -columns) : step);
  tiles[to]?.querySelector('a')?.focus();
}

const refresh = (): void => {
  writeAges();
  showCopyButtons();
};
document.addEventListener('click', event => {
  const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('button[data-copy]') : null;
  if (button !== null) void copy(button);
});
document.addEventListener('keydown', walkGrid);
refresh();
setInterval(writeAges, 1_000);
openPanels(refresh);
tailLogs();
follow(refresh);
