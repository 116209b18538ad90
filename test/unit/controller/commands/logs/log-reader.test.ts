import { expect, it } from 'vitest';

import { Folding } from '../../../../../controller/src/commands/logs/folding.ts';
import { logReader } from '../../../../../controller/src/commands/logs/log-reader.ts';
import { encode } from '../../../../../protocol/codec.ts';
import { type LogEntry, type LogFilter, MAX_LOG_MESSAGE_BYTES } from '../../../../../protocol/logs.ts';

const all: LogFilter = { modules: [], level: 'info', grep: '' };
const entry: LogEntry = { at: 1, module: 'demo', revision: 'a'.repeat(64), level: 'info', text: '{"level":"info"}' };

it('a message that exceeds the budget of its node counts as dropped, entry by entry', () => {
  const folding = new Folding();
  let isTaken = true;
  const read = logReader(all, folding, { take: () => isTaken });
  const message = encode({ node: 'fred', entries: [entry, entry, entry], dropped: 0 });
  read('fred', message);
  expect(folding.takeDropped()).toBe(0);
  isTaken = false;
  read('fred', message);
  expect(folding.takeDropped()).toBe(3);
});

it('a message that is too large counts as dropped, as far as it is looked at', () => {
  const folding = new Folding();
  const large = { ...entry, text: 'x'.repeat(MAX_LOG_MESSAGE_BYTES / 2) };
  logReader(all, folding)('fred', encode({ node: 'fred', entries: [large, large, large], dropped: 0 }));
  expect(folding.takeDropped()).toBe(2);
});
