import { nodeDescription } from '../../../../protocol/messages.ts';
import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import { packageVersionWarnings } from '../../fleet/package-versions.ts';
import type { Handler } from '../context.ts';

/** The versions of Hotcast that the command line, this controller and the nodes have. No node needs to run. */
export const version: Handler<'version'> = async (context, { cli, timeoutMs }, report, signal) => {
  const { members, departed, warning } = await context.membership.expected();
  if (warning !== null) report({ type: 'warning', message: warning });
  const asked = { expected: new Set(members.map(({ node }) => node)), departed };
  const answers = await askNodes(context, { verb: 'describe', ...asked, timeoutMs, signal, schema: nodeDescription });
  const described = [...answers.values()].map(({ answer }) => answer);
  for (const message of packageVersionWarnings(described)) report({ type: 'warning', message });
  return {
    command: 'version',
    cli,
    controller: PACKAGE_VERSION,
    nodes: rowsOf(asked, answers, answer => ({
      node: answer.node,
      status: 'present' as const,
      version: answer.version ?? null,
    })),
  };
};
