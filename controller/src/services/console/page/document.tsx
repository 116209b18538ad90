import { raw } from 'hono/html';

import type { Regions } from '../http/hub.ts';
import { withAges, htmlOf } from './glyph.tsx';

interface Page {
  readonly cookie: string;
  readonly regions: Regions;
  /** What the client script says when it connects: what it has. */
  readonly version: string;
  readonly now: number;
  /** The HTML of the panel; empty: none is open. */
  readonly panel: string;
}

/** The whole page as it is now, complete without a script. */
export function documentHtml({ cookie, regions, version, now, panel }: Page): string {
  const part = (id: string) => raw(regions.elements.get(id) ?? '');
  const list = (name: string) =>
    raw((regions.lists.get(name) ?? []).map(id => regions.elements.get(id) ?? '').join(''));
  const page = (
    <html lang="en" data-version={version} data-now={String(now)}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${cookie} · Hotcast`}</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/console.css" />
        <script src="/client.js" type="module" />
      </head>
      <body>
        <a class="skip" href="#nodes">
          Skip to the nodes
        </a>
        <div class="bar-top">
          {part('top')}
          <span id="live" class="live" role="status" />
        </div>
        {part('notice')}
        <main>
          {part('stats')}
          <div class="columns">
            <div class="left">
              {part('attention')}
              <section id="nodes" class="nodes" tabindex={-1} aria-label="Nodes">
                {part('grid-head')}
                <ul id="grid" class="grid">
                  {list('grid')}
                </ul>
              </section>
              <section class="modules" aria-labelledby="modules-title">
                <h2 id="modules-title">Modules</h2>
                <div class="scroll" tabindex={0} role="group" aria-label="Table of modules">
                  <table>
                    <thead>
                      <tr>
                        <th scope="col">Revision</th>
                        <th scope="col">On</th>
                        <th scope="col" class="num">
                          Calls
                        </th>
                        <th scope="col" class="num">
                          Errors
                        </th>
                        <th scope="col">Pushed</th>
                      </tr>
                    </thead>
                    <tbody id="modules">{list('modules')}</tbody>
                  </table>
                </div>
                <p class="empty">No module was pushed yet.</p>
              </section>
              {part('charts')}
              <details id="logs" class="logs">
                <summary>
                  <h2>Logs</h2> <span class="dim">what modules print and throw, while this is open</span>
                </summary>
                <noscript>
                  <p>
                    The tail needs JavaScript. <code>hotcast tail</code> shows the same in a terminal.
                  </p>
                </noscript>
                <form id="log-filter" hidden>
                  <label>
                    Contains <input name="text" type="search" autocomplete="off" />
                  </label>
                  <label>
                    Level{' '}
                    <select name="level">
                      <option value="info">all</option>
                      <option value="warn">warnings and errors</option>
                      <option value="error">errors</option>
                    </select>
                  </label>
                </form>
                <ol id="log-lines" tabindex={0} aria-label="Log lines" />
              </details>
            </div>
            <div class="right">
              {part('change')}
              <section class="timeline" aria-labelledby="timeline-title">
                <h2 id="timeline-title">Timeline</h2>
                <ol id="timeline">{list('timeline')}</ol>
              </section>
            </div>
          </div>
        </main>
        <div id="panel">{raw(panel)}</div>
      </body>
    </html>
  );
  return withAges(`<!doctype html>${htmlOf(page)}`, now);
}
