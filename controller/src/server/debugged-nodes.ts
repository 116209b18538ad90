import type { Result } from '../api/results.ts';

/** The detail of a row. A node at a breakpoint is silent. */
const DEBUGGED = 'a debugger is attached';

/**
 * Names the nodes to which a debugger is attached: in the rows of silent nodes, because they probably stand at a breakpoint, and
 * in all rows of the status that have no other detail.
 *
 * @param isDebugged Whether a debugger was attached to a node when it was last heard.
 */
export function nameDebugged<R extends Result>(result: R, isDebugged: (node: string) => boolean): R {
  if (!('nodes' in result)) return result;
  const nodes = result.nodes.map(row => {
    const hasRoom = 'status' in row ? row.status === 'silent' : row.detail === undefined;
    return hasRoom && isDebugged(row.node) ? { ...row, detail: DEBUGGED } : row;
  });
  return { ...result, nodes };
}
