/** Columns for people at a terminal: as wide as their widest cell, figures to the right. */

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const isFigure = heads.map((_, i) => rows.every((row) => /^(-|-?[\d.]+)$/.test(row[i] ?? '-')));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => pad(cell, widths[i] ?? 0, isFigure[i] === true)).join('  ').trimEnd();
  return [line(heads), ...rows.map(line)].join('\n');
}

const pad = (text: string, width: number, isRight: boolean): string =>
  isRight ? text.padStart(width) : text.padEnd(width);
