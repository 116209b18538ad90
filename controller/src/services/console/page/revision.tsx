import type { Head } from '../../../../../protocol/head.ts';
import { shortRevision } from '../../../../../protocol/revision.ts';
import type { Fleet } from '../model/fleet.ts';
import type { Moment } from '../model/timeline.ts';
import type { FileDiff } from '../model/diff.ts';
import { momentElement } from './change.tsx';
import { count } from './format.ts';
import { Ago, Command, RevisionLink, withAges, htmlOf } from './glyph.tsx';
import { Errors, Fact, Panel, type RevisionErrors } from './panel.tsx';
import { raw } from 'hono/html';

/** What is known of one revision of a module. */
export interface RevisionFacts {
  readonly module: string;
  readonly revision: string;
  /** The heads that named it, oldest first. */
  readonly heads: readonly Head[];
  /** The revision that ran before it; null: it was the first. */
  readonly before: string | null;
  /** Null when the stream no longer has both bundles. */
  readonly diff: readonly FileDiff[] | null;
  /** The nodes that run it now. */
  readonly nodes: readonly string[];
  readonly moments: readonly Moment[];
  readonly errors: readonly RevisionErrors[];
}

export function revisionPanelHtml(fleet: Fleet, facts: RevisionFacts): string {
  return withAges(htmlOf(<RevisionPanel fleet={fleet} facts={facts} />), fleet.now);
}

const RevisionPanel = ({ fleet, facts }: { readonly fleet: Fleet; readonly facts: RevisionFacts }) => {
  const { module, revision, heads, before, diff, nodes, moments, errors } = facts;
  const newest = fleet.heads.get(module);
  const isCurrent = newest?.revision === revision;
  const isCanary = newest?.canary?.revision === revision;
  const last = heads.at(-1);
  return (
    <Panel
      kind={isCurrent ? 'Revision, current' : isCanary ? 'Revision, canary' : 'Revision, earlier'}
      title={
        <>
          {module}
          <i>@{shortRevision(revision)}</i>
        </>
      }
    >
      <dl class="facts">
        {last !== undefined && (
          <>
            <Fact name="Pushed">
              <Ago at={last.at} /> by {last.author}
            </Fact>
            {last.message !== undefined && <Fact name="Message">{last.message}</Fact>}
            {last.git !== undefined && (
              <Fact name="Commit">
                <code>{last.git.commit.slice(0, 12)}</code>
                {last.git.dirty ? ' with changes' : ''}
              </Fact>
            )}
            <Fact name="Written by">{last.note}</Fact>
          </>
        )}
        <Fact name="Runs on">{nodes.length === 0 ? 'no node now' : nodesText(nodes)}</Fact>
        <Fact name="Before it">
          {before === null ? 'nothing: it was the first' : <RevisionLink module={module} revision={before} />}
        </Fact>
      </dl>
      <section>
        <h3>What it changed</h3>
        <Diff diff={diff} before={before} />
      </section>
      {moments.length > 0 && (
        <section>
          <h3>What it caused</h3>
          <ol class="moments">
            {raw(moments.map(moment => momentElement(moment)[1].replace(/ id="[^"]*"/, '')).join(''))}
          </ol>
        </section>
      )}
      {errors.length > 0 && (
        <section>
          <h3>Its last errors</h3>
          {errors.map(each => (
            <Errors of={each} />
          ))}
        </section>
      )}
      <section>
        <h3>Next</h3>
        {isCanary && <Command text={`hotcast promote ${module}`} />}
        {isCurrent || isCanary ? (
          <Command text={`hotcast rollback ${module}`} />
        ) : (
          <Command text={`hotcast rollback ${module} --to ${shortRevision(revision)}`} />
        )}
        <Command text={`hotcast history ${module}`} />
        <Command text={`hotcast errors ${module}`} />
      </section>
    </Panel>
  );
};

function nodesText(nodes: readonly string[]): string {
  const shown = nodes.slice(0, 12).join(', ');
  return nodes.length > 12 ? `${shown} and ${count(nodes.length - 12)} more` : shown;
}

const Diff = ({ diff, before }: { readonly diff: readonly FileDiff[] | null; readonly before: string | null }) => {
  if (diff === null)
    return (
      <p class="empty">
        {before === null ? 'There is nothing to compare it with.' : 'The stream no longer has both bundles.'}
      </p>
    );
  if (diff.length === 0) return <p class="empty">The sources are the same.</p>;
  return (
    <>
      {diff.map(({ file, lines, added, removed, cut }) => (
        <figure class="diff">
          <figcaption>
            <code>{file}</code>
            <span class="num">
              <ins>+{count(added)}</ins> <del>−{count(removed)}</del>
            </span>
          </figcaption>
          <div class="scroll" tabindex={0} role="region" aria-label={`Changes of ${file}`}>
            <pre>
              {lines.map(({ kind, text }) =>
                kind === 'added' ? (
                  <ins>
                    +{text}
                    {'\n'}
                  </ins>
                ) : kind === 'removed' ? (
                  <del>
                    −{text}
                    {'\n'}
                  </del>
                ) : kind === 'gap' ? (
                  <span class="gap">
                    {text}
                    {'\n'}
                  </span>
                ) : (
                  <span>
                    {' '}
                    {text}
                    {'\n'}
                  </span>
                ),
              )}
            </pre>
          </div>
          {cut && <p class="empty">The rest is left out.</p>}
        </figure>
      ))}
    </>
  );
};
