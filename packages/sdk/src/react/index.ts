/** React hooks. Other view libraries: docs/frameworks.md; a live query is a store already. */
export { useSpace } from './opened.js';
export type { Opening } from './opened.js';
export { useLive } from './use-live.js';
export type { LiveOptions } from './use-live.js';
export { useReceipt } from './use-receipt.js';
export type { ReceiptState } from './use-receipt.js';
export { useConflicts, usePending } from './use-lists.js';
export { useHealth } from './use-health.js';
export type { HealthState, Watched } from './use-health.js';
export type { ServerValue } from './use-store.js';
