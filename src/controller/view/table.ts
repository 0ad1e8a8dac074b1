/** Lines of a table: first column left, the others right; two blanks between columns. */
export function table(rows: readonly (readonly string[])[], indent = '  '): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) => {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? '';
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

/**
 * The table; where it is wider than that, several, each with the first column and as many of the others as fit beside it:
 * no column is lost.
 */
export function tablesWithin(
  width: number,
  rows: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  const columns = Math.max(1, ...rows.map((row) => row.length));
  const part = (from: number, to: number): readonly string[] =>
    table(rows.map((row) => [row[0] ?? '', ...row.slice(from, to)]));
  const tables: (readonly string[])[] = [];
  let from = 1;
  do {
    let to = from + 1;
    while (to < columns && part(from, to + 1).every((line) => line.length <= width)) to += 1;
    tables.push(part(from, to));
    from = to;
  } while (from < columns);
  return tables;
}

/** One below the other. */
export function stacked(tables: readonly (readonly string[])[]): readonly string[] {
  return tables.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

/** Breaks a sentence at blanks; lines after the first are indented by two more. */
export function wrap(text: string, width: number, indent = '  '): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}  `;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
