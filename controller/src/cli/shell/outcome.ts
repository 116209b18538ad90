/** What a line gave. `status`: as of a command. `incomplete`: it goes on in the next line. `quit`: it ends the shell. */
export interface Outcome {
  readonly text: string;
  readonly status: number;
  readonly incomplete?: true;
  readonly quit?: true;
}

/** The exit status of a shell that q(). ends. */
export const DONE = 0;

export function done(text: string): Outcome {
  return { text, status: DONE };
}
