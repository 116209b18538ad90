const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** What can't end a line of JavaScript: an operator that wants a right side. */
const WANTS_MORE = /(?:=>|[=+*/%&|^<,?:]|(?<!-)-|\b(?:await|typeof|new|return|in|of|instanceof))\s*$/;

/** The parts of JavaScript in which a bracket says nothing. A template can have expressions, which is seen below. */
const SKIPPED = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^'\\\n]|\\[\s\S])*'?|"(?:[^"\\\n]|\\[\s\S])*"?/y;

/** After one of these, a slash starts a regular expression. */
const BEFORE_REGEXP = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\breturn|\btypeof)\s*$/;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;

/** Whether a piece of JavaScript goes on in the next line: a bracket or a template is open, or an operator wants more. */
export function isIncomplete(source: string): boolean {
  const open: string[] = [];
  let isRegexp = false;
  for (let at = 0; at < source.length;) {
    const char = source.charAt(at);
    const inTemplate = open.at(-1) === '`';
    if (inTemplate) {
      if (char === '`') open.pop();
      if (char === '$' && source.charAt(at + 1) === '{') open.push('}');
      at += char === '\\' || source.startsWith('${', at) ? 2 : 1;
      continue;
    }
    const skipped = lengthOf(SKIPPED, source, at);
    const regexp = BEFORE_REGEXP.test(source.slice(0, at)) ? lengthOf(REGEXP, source, at) : 0;
    isRegexp = skipped === 0 && regexp > 0;
    if (skipped > 0 || regexp > 0) {
      if (source.startsWith('/*', at) && !source.slice(at, at + skipped).endsWith('*/')) return true;
      at += skipped > 0 ? skipped : regexp;
      continue;
    }
    if (char === '`') open.push(char);
    else if (CLOSING[char] !== undefined) open.push(CLOSING[char]);
    // A bracket too much is an error, which the compiler shows.
    else if (')]}'.includes(char) && open.pop() !== char) return false;
    at += 1;
  }
  return open.length > 0 || (!isRegexp && WANTS_MORE.test(source) && !/(?:\+\+|--)\s*$/.test(source));
}

function lengthOf(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0].length ?? 0;
}
