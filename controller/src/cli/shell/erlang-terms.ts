/** Text is not a form of Erlang. `isIncomplete`: more lines can make it one. */
export class SyntaxFault extends Error {
  readonly isIncomplete: boolean;

  constructor(message: string, isIncomplete = false) {
    super(message);
    this.isIncomplete = isIncomplete;
  }
}

/** A function of Erlang with its arguments: `demo:add(1, 2)`, `c(demo)`. */
export interface Form {
  /** Null for a function of the shell. */
  readonly module: string | null;
  readonly name: string;
  /** The arguments as literals of JavaScript. */
  readonly args: readonly string[];
  /** The arguments that are atoms, or else null. */
  readonly atoms: readonly (string | null)[];
}

/** The start of `demo:add(` or of `c(`. A module's name can contain dashes. */
const CALL_START = /(?:(?:([a-z][\w@-]*)|'([^'\n]+)')\s*:\s*)?(?:([A-Za-z_$][\w$]*)|'([^'\n]+)')\s*\(/y;

/** Atoms with a value of their own in JavaScript. */
const CONSTANTS = new Set(['true', 'false', 'null', 'undefined']);

interface Term {
  /** A literal of JavaScript. */
  readonly text: string;
  readonly atom: string | null;
}

/** Whether text starts as `demo:add(`, which no line of JavaScript does. */
export function startsQualified(text: string): boolean {
  return /^\s*(?:[a-z][\w@-]*|'[^'\n]+')\s*:\s*(?:[A-Za-z_$][\w$]*|'[^'\n]+')\s*\(/.test(text);
}

/**
 * Reads forms of Erlang: `c(demo), nl(demo).` The dot at the end can be left out.
 *
 * @throws SyntaxFault
 */
export function readForms(text: string): Form[] {
  const reader = new Reader(text);
  const forms: Form[] = [];
  for (;;) {
    forms.push(reader.form());
    if (reader.take(',')) continue;
    if (reader.takeDot() && !reader.atEnd) continue;
    if (reader.atEnd) return forms;
    throw reader.unexpected();
  }
}

/** Reads text from its start to its end. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    this.#skip();
    return this.#at === this.#text.length;
  }

  form(): Form {
    this.#skip();
    const match = this.#match(CALL_START);
    const name = match?.[3] ?? match?.[4];
    if (match === null || name === undefined) throw this.unexpected();
    const args = this.#terms(')');
    return {
      module: match[1] ?? match[2] ?? null,
      name,
      args: args.map(({ text }) => text),
      atoms: args.map(({ atom }) => atom),
    };
  }

  take(token: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  /** The dot that ends a form; not that of `c(demo).length`. */
  takeDot(): boolean {
    this.#skip();
    return this.#match(/\.(?=\s|%|$)/y) !== null;
  }

  unexpected(): SyntaxFault {
    if (this.atEnd) return new SyntaxFault('the line ends too soon', true);
    const [token = ''] = /^(?:[\w@]+|\S)/.exec(this.#text.slice(this.#at)) ?? [];
    return new SyntaxFault(`syntax error before: '${token}'`);
  }

  #terms(end: string): Term[] {
    const terms: Term[] = [];
    if (this.take(end)) return terms;
    do terms.push(this.#term());
    while (this.take(','));
    if (!this.take(end)) throw this.unexpected();
    return terms;
  }

  #term(): Term {
    this.#skip();
    const number = this.#match(/[+-]?\d[\d_]*(?:\.\d+(?:[eE][+-]?\d+)?)?/y)?.[0];
    if (number !== undefined) return { text: number, atom: null };
    const atom = this.#match(/[a-z][\w@]*/y)?.[0] ?? this.#quoted("'");
    if (atom !== null) return { text: CONSTANTS.has(atom) ? atom : JSON.stringify(atom), atom };
    const string = this.#quoted('"');
    if (string !== null) return { text: JSON.stringify(string), atom: null };
    const variable = this.#match(/[A-Z_][\w@]*/y)?.[0];
    if (variable !== undefined) throw new SyntaxFault(`variable '${variable}' is unbound`);
    return { text: this.#structure(), atom: null };
  }

  /** A list, tuple, map or binary. */
  #structure(): string {
    if (this.take('[')) return listOf(this.#terms(']'));
    if (this.take('{')) return listOf(this.#terms('}'));
    if (this.take('#{')) return this.#map();
    if (!this.take('<<')) throw this.unexpected();
    this.#skip();
    const string = this.take('>>') ? '' : this.#quoted('"');
    if (string === null || (string !== '' && !this.take('>>'))) throw this.unexpected();
    return JSON.stringify(string);
  }

  #map(): string {
    const entries: string[] = [];
    if (this.take('}')) return '{}';
    do {
      const key = this.#term().text;
      if (!this.take('=>')) throw this.unexpected();
      entries.push(`[${key}]: ${this.#term().text}`);
    } while (this.take(','));
    if (!this.take('}')) throw this.unexpected();
    return `{ ${entries.join(', ')} }`;
  }

  /** The content of a quoted text; null when none starts here. */
  #quoted(quote: string): string | null {
    if (!this.#text.startsWith(quote, this.#at)) return null;
    let content = '';
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      const char = this.#text.charAt(at);
      if (char === quote) {
        this.#at = at + 1;
        return content;
      }
      if (char === '\\') at += 1;
      content += char === '\\' ? unescaped(this.#text.charAt(at)) : char;
    }
    throw new SyntaxFault('a quote is not closed', true);
  }

  /** Skips space and comments. */
  #skip(): void {
    this.#match(/(?:\s|%[^\n]*)*/y);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at += match[0].length;
    return match;
  }
}

function listOf(terms: readonly Term[]): string {
  return `[${terms.map(({ text }) => text).join(', ')}]`;
}

function unescaped(char: string): string {
  return { n: '\n', t: '\t', r: '\r' }[char] ?? char;
}
