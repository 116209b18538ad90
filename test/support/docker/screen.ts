/** A cursor movement or a colour, or one character. */
const TOKEN = new RegExp(`${String.fromCodePoint(27)}\\[\\??([\\d;]*)([A-Za-z])|[^]`, 'gu');

/** What a terminal with unlimited height shows, as far as the shell of Node.js and Hotcast use it. */
export class Screen {
  readonly #rows: string[] = [''];
  #row = 0;
  #column = 0;

  /** The lines that are shown, without the space at their ends. */
  get text(): string {
    return this.#rows.map(row => row.trimEnd()).join('\n');
  }

  write(output: string): void {
    for (const [token, count, command] of output.matchAll(TOKEN)) {
      if (command === undefined) this.#put(token);
      else this.#move(command, count === '' || count === undefined ? null : Number.parseInt(count, 10));
    }
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#to(this.#row + 1);
    else if (character >= ' ') {
      const row = (this.#rows[this.#row] ?? '').padEnd(this.#column);
      this.#rows[this.#row] = row.slice(0, this.#column) + character + row.slice(this.#column + 1);
      this.#column += 1;
    }
  }

  #move(command: string, count: number | null): void {
    const row = this.#rows[this.#row] ?? '';
    if (command === 'G') this.#column = (count ?? 1) - 1;
    else if (command === 'C') this.#column += count ?? 1;
    else if (command === 'D') this.#column = Math.max(0, this.#column - (count ?? 1));
    else if (command === 'A') this.#to(this.#row - (count ?? 1));
    else if (command === 'B') this.#to(this.#row + (count ?? 1));
    else if (command === 'K' || command === 'J') {
      this.#rows[this.#row] = row.slice(0, this.#column);
      if (command === 'J') this.#rows.length = this.#row + 1;
    }
  }

  #to(row: number): void {
    this.#row = Math.max(0, row);
    while (this.#rows.length <= this.#row) this.#rows.push('');
  }
}
