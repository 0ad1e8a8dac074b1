/** A terminal of fixed size that keeps what is written and can show its screen as a person would see it. */
export class FakeTerminal {
  readonly isTTY: boolean;
  columns: number;
  rows: number;
  written = '';

  constructor(columns = 80, rows = 24, isTTY = true) {
    this.columns = columns;
    this.rows = rows;
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  /** What the written bytes leave on the screen and above it: cursor moves, clearing, wrapping on and off. */
  get screen(): readonly string[] {
    const lines: string[][] = [[]];
    let row = 0;
    let column = 0;
    let wraps = true;
    const line = (): string[] => (lines[row] ??= []);

    const tokens = this.written.matchAll(/\x1b\[(\??[\d;]*)([A-Za-z])|\x1b[78]|[\s\S]/g);
    for (const [token, parameter = '', command] of tokens) {
      const count = Number.parseInt(parameter, 10) || 0;
      if (command === 'A') row = Math.max(0, row - Math.max(1, count));
      else if (command === 'B') row += Math.max(1, count);
      else if (command === 'G') column = Math.max(0, count - 1);
      else if (command === 'K') lines[row] = count === 2 ? [] : line().slice(0, column);
      else if (command === 'J') {
        lines[row] = line().slice(0, column);
        lines.length = row + 1;
      } else if (command === 'h' && parameter === '?7') wraps = true;
      else if (command === 'l' && parameter === '?7') wraps = false;
      else if (command !== undefined) continue;
      else if (token === '\n') {
        row += 1;
        column = 0;
      } else if (token === '\r') column = 0;
      else {
        if (column >= this.columns) {
          if (wraps) {
            row += 1;
            column = 0;
          } else column = this.columns - 1;
        }
        while (line().length < column) line().push(' ');
        line()[column] = token;
        column += 1;
      }
    }
    return lines.map((cells) => cells.join('').trimEnd());
  }
}
