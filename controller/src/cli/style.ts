import { styleText } from 'node:util';

let hasColors = false;

/** Renders a text with colours or without. One process can show the results of several users. */
export function withColors<T>(on: boolean, body: () => T): T {
  const before = hasColors;
  hasColors = on;
  try {
    return body();
  } finally {
    hasColors = before;
  }
}

const styled =
  (color: 'green' | 'yellow' | 'red') =>
  (text: string): string =>
    // The caller has looked at the terminal.
    hasColors && text !== '' ? styleText(color, text, { validateStream: false }) : text;

/** The colours say how something went, and nothing else: it is as it should be, somebody should look at it, or it is wrong. */
export const good = styled('green');
export const doubtful = styled('yellow');
export const bad = styled('red');

const OUTCOMES: ReadonlyMap<string, (text: string) => string> = new Map([
  ['committed', good],
  ['unchanged', good],
  ['undecided', doubtful],
  ['superseded', doubtful],
  ['unfinished', doubtful],
  ['refused', bad],
  ['reverted', bad],
  ['overtaken', bad],
  ['unanswered', bad],
  ['rolled-back', bad],
  ['failed', bad],
]);

/** The outcome of a change. */
export const outcomeWord = (outcome: string): string => (OUTCOMES.get(outcome) ?? String)(outcome);
