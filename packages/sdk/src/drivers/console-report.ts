/** Where a developer looks when the app does not ask for reports itself. */
import type { OxbowError } from '../protocol/index.js';

export function reportOnConsole(error: OxbowError): void {
  // eslint-disable-next-line no-console -- the one place, and only for what nobody else would see
  console.warn(`oxbow: ${error.code}: ${error.message}`);
}
