import type { Child } from 'hono/jsx';

import { errorText } from '../../../../../protocol/error-description.ts';
import { shortRevision } from '../../../../../protocol/revision.ts';
import type { KeptError } from '../../../../../protocol/logs.ts';
import type { Fleet } from '../model/fleet.ts';
import { errorsOf, groupOf, levelOf, type NodeView } from '../model/node.ts';
import { age, bytes, count, some } from './format.ts';
import { Ago, Command, Glyph, RevisionLink, withAges, htmlOf } from './glyph.tsx';

/** The last errors of one revision on a node. */
export interface RevisionErrors {
  readonly module: string;
  readonly revision: string;
  readonly errors: readonly KeptError[];
}

/** What is known of one thing, beside the page. */
export const Panel = ({
  title,
  kind,
  children,
}: {
  readonly title: Child;
  readonly kind: string;
  readonly children: Child;
}) => (
  <aside class="panel" aria-labelledby="panel-title">
    <header>
      <p class="kind">{kind}</p>
      <h2 id="panel-title" tabindex={-1}>
        {title}
      </h2>
      <a class="close" href="/" data-close aria-label="Close">
        ×
      </a>
    </header>
    {children}
  </aside>
);

export const Fact = ({ name, children }: { readonly name: string; readonly children: Child }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

export function missingHtml(kind: string, name: string): string {
  return htmlOf(
    <Panel kind={kind} title={name}>
      <p class="empty">Nothing is known of it.</p>
    </Panel>,
  );
}

/** What the versions on a node have open, by their names; null: the node did not say. */
type Owned = NonNullable<NodeView['description']>['owned'] | null;

export function nodePanelHtml(fleet: Fleet, node: NodeView, errors: readonly RevisionErrors[], owned: Owned): string {
  return withAges(htmlOf(<NodePanel fleet={fleet} node={node} errors={errors} owned={owned} />), fleet.now);
}

const NodePanel = ({
  fleet,
  node,
  errors,
  owned,
}: {
  readonly fleet: Fleet;
  readonly node: NodeView;
  readonly errors: readonly RevisionErrors[];
  readonly owned: Owned;
}) => {
  const { name, state, why, since, description, heardAt, container } = node;
  const failed = errors.filter(each => each.errors.length > 0);
  return (
    <Panel kind="Node" title={name}>
      <p class="state" data-level={levelOf(state)}>
        <Glyph shape={levelOf(state)} /> <b>{state}</b> {why !== '' && <span>{why}</span>}{' '}
        <span class="dim">
          for <Ago at={since} plain />
        </span>
      </p>
      <dl class="facts">
        <Fact name="Heard">{heardAt === null ? 'never' : <Ago at={heardAt} />}</Fact>
        <Fact name="Group">{groupOf(node)}</Fact>
        <Fact name="Container">
          <code>{description?.container ?? 'not known'}</code> {container ?? ''}
        </Fact>
        {description !== null && (
          <>
            <Fact name="Up">
              {age(1_000 * description.uptimeSeconds)}, process {description.pid}
            </Fact>
            <Fact name="Memory">{bytes(description.memoryBytes)}</Fact>
            <Fact name="Event loop">{count(description.loopDelay)} ms at most</Fact>
            <Fact name="Errors">{count(errorsOf(node))} in the last minute</Fact>
            <Fact name="Rejected">{count(description.rejected)} unsigned messages</Fact>
            {description.version !== undefined && <Fact name="Hotcast">{description.version}</Fact>}
          </>
        )}
      </dl>
      {description !== null && <Versions description={description} fleet={fleet} owned={owned} />}
      {failed.length > 0 && (
        <section>
          <h3>Last errors</h3>
          {failed.map(each => (
            <Errors of={each} />
          ))}
        </section>
      )}
      <section>
        <h3>Next</h3>
        <Command text={`hotcast nodes`} />
        <Command text={`hotcast tail --node ${name}`} />
        <Command text={`hotcast ping ${name}`} />
        {(state === 'quarantined' || state === 'banned') && <Command text="hotcast bans" />}
        {state === 'behind' && <Command text="hotcast status --verbose" />}
      </section>
    </Panel>
  );
};

/** What a version has open, if anything. */
const Open = ({
  owned,
  module,
  revision,
}: {
  readonly owned: Owned;
  readonly module: string;
  readonly revision: string;
}) => {
  const { timers = 0, sockets = 0 } = owned?.[`${module}@${shortRevision(revision)}`] ?? {};
  const parts = [...(timers > 0 ? [some(timers, 'timer')] : []), ...(sockets > 0 ? [some(sockets, 'connection')] : [])];
  return parts.length === 0 ? null : <span class="said">{parts.join(' and ')} open</span>;
};

const Versions = ({
  description,
  fleet,
  owned,
}: {
  readonly description: NonNullable<NodeView['description']>;
  readonly fleet: Fleet;
  readonly owned: Owned;
}) => {
  const { modules, draining, leftBehind = {} } = description;
  const names = Object.keys(modules).toSorted();
  return (
    <section>
      <h3>Versions</h3>
      {names.length === 0 && <p class="empty">It runs no module.</p>}
      {names.length > 0 && (
        <table class="versions">
          <thead>
            <tr>
              <th scope="col">Revision</th>
              <th scope="col" class="num">
                In flight
              </th>
              <th scope="col" class="num">
                Calls
              </th>
              <th scope="col" class="num">
                Errors
              </th>
            </tr>
          </thead>
          <tbody>
            {names.flatMap(module => {
              const running = modules[module];
              if (running === undefined) return [];
              return [
                <tr>
                  <th scope="row">
                    <RevisionLink module={module} revision={running.revision} />
                    {running.sequence === 0 && <span class="dim"> on this node only</span>}
                    {fleet.heads.get(module) === undefined && <span class="dim"> has no head</span>}
                    <Open owned={owned} module={module} revision={running.revision} />
                  </th>
                  <td class="num">{count(running.inFlight)}</td>
                  <td class="num">{count(running.calls)}</td>
                  <td class={running.errors > 0 ? 'num hot' : 'num'}>{count(running.errors)}</td>
                </tr>,
                ...draining
                  .filter(each => each.module === module)
                  .map(each => (
                    <tr class="draining">
                      <th scope="row">
                        <RevisionLink module={module} revision={each.revision} /> <span class="tag">drains</span>
                        <span class="said">
                          {each.heldBy}
                          {each.ageMs !== undefined && `, for ${age(each.ageMs)}`}
                        </span>
                        <Open owned={owned} module={module} revision={each.revision} />
                      </th>
                      <td class="num">{count(each.inFlight)}</td>
                      <td />
                      <td />
                    </tr>
                  )),
              ];
            })}
          </tbody>
        </table>
      )}
      {!owned && names.length > 0 && <p class="detail">It has not said what they have open.</p>}
      {Object.entries(leftBehind).map(([version, { timers, sockets }]) => (
        <p class="detail">
          <code>{version}</code> has ended and left {some(timers, 'timer')} and {some(sockets, 'connection')} open in
          packages.
        </p>
      ))}
    </section>
  );
};

export const Errors = ({ of: { module, revision, errors } }: { readonly of: RevisionErrors }) => (
  <div class="errors-of">
    <p>
      <RevisionLink module={module} revision={revision} />
    </p>
    {errors.map(({ at, count: times, where, error }) => (
      <details class="error">
        <summary>
          <b>
            {error.type}: {error.message}
          </b>
          <span class="dim">
            {where}, {times === 1 ? 'once' : `${count(times)} times`}, <Ago at={at} />
          </span>
        </summary>
        <pre>{errorText(error)}</pre>
      </details>
    ))}
  </div>
);
