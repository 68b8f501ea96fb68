/** Titles within sentences: quoted, and short enough to leave the sentence readable. */
const CHARS_MAX = 60;

export function quoted(title: string): string {
  const signs = [...title];
  if (signs.length <= CHARS_MAX) return `“${title}”`;
  return `“${signs.slice(0, CHARS_MAX - 1).join('').trimEnd()}…”`;
}
