import type { Level } from '../model/node.ts';
import { age } from './format.ts';

/** The HTML of an element. What is in it is escaped. */
export function htmlOf(element: { toString(): string }): string {
  return element.toString();
}

/** A state as a shape, so that it is seen without its colour. */
export type Shape = Level | 'waiting' | 'half' | 'done' | 'cross' | 'dash';

const PATHS: Readonly<Record<Shape, string>> = {
  ok: 'M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z',
  note: 'M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10zm0 2a3 3 0 1 1 0 6a3 3 0 1 1 0-6z',
  warn: 'M6 .8L11.6 10.8H.4z',
  bad: 'M1 1h10v10H1zM3.6 2.6l-1 1L5 6 2.6 8.4l1 1L6 7l2.4 2.4 1-1L7 6l2.4-2.4-1-1L6 5z',
  waiting: 'M1 5h3v2H1zM4.9 5h2.2v2H4.9zM8 5h3v2H8z',
  half: 'M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10zm0 1.6a3.4 3.4 0 0 1 0 6.8z',
  done: 'M1.2 6.4l1.4-1.5 2.3 2.2L9.5 2l1.4 1.4-6 6.6z',
  cross: 'M2.6 1.2L6 4.6l3.4-3.4 1.4 1.4L7.4 6l3.4 3.4-1.4 1.4L6 7.4l-3.4 3.4-1.4-1.4L4.6 6 1.2 2.6z',
  dash: 'M1 5h10v2H1z',
};

export const Glyph = ({ shape }: { readonly shape: Shape }) => (
  <svg class={`glyph ${shape}`} viewBox="0 0 12 12" aria-hidden="true">
    <path d={PATHS[shape]} fill-rule="evenodd" />
  </svg>
);

/** When something was. Its text is the age: {@link withAges} writes it, and the client script keeps it fresh. */
export const Ago = ({ at, plain = false }: { readonly at: number; readonly plain?: boolean }) => (
  <time datetime={new Date(at).toISOString()} data-age={plain ? 'plain' : 'ago'} />
);

/** The page with the ages of a moment in it. */
export function withAges(html: string, now: number): string {
  return html.replaceAll(
    /(<time datetime="([^"]+)" data-age="(ago|plain)">)<\/time>/g,
    (_, tag: string, at: string, kind: string) => {
      const text = age(now - Date.parse(at));
      return `${tag}${kind === 'plain' ? text : `${text} ago`}</time>`;
    },
  );
}

/** A command to copy. */
export const Command = ({ text }: { readonly text: string }) => (
  <div class="command">
    <code>{text}</code>
    <button type="button" data-copy={text} aria-label={`Copy: ${text}`} hidden>
      Copy
    </button>
  </div>
);

/** A revision of a module, as a link to what is known of it. */
export const RevisionLink = ({ module, revision }: { readonly module: string; readonly revision: string }) => (
  <a class="revision" href={`/revisions/${module}/${revision}`} data-panel>
    <b>{module}</b>
    <i>@{revision.slice(0, 12)}</i>
  </a>
);
