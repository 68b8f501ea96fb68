/** Three digits that count, thousands apart. */
export function figureText(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : String(Number(value.toPrecision(2)));
}
