/**
 * What runs the command line in the controller's container, by `HOTCAST_CLIENT`. The command line of the host (packages/hotcast)
 * gives `terminal` when a person reads the output, `keyboard` when it passes keys on too, and else `pipe`. It holds the input open:
 * `docker exec` passes no signal on and leaves the process alone when it ends itself, but the input ends with it, however it ends.
 * Null: something else, and the end of the input says nothing.
 */
export type Client = 'terminal' | 'keyboard' | 'pipe' | null;

/** What ends the last line of a shell from a pipe: the host then holds the input open. When it ends, its user has gone. */
export const END_OF_INPUT = '\u0004';
