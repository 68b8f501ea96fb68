/**
 * What both sides agree on, byte for byte: names, messages, their text, their bounds, and how they
 * are exchanged.
 */
export * from './ids.js';
export * from './update.js';
export * from './message.js';
export * from './error.js';
export * from './holder.js';
export { checkLimits } from './check-limits.js';
export * as limits from './limits.js';
export * from './version.js';
export { decodeMessage, encodeMessage } from './codec.js';
export {
  bareEntry, decodeEntry, decodeRows, decodeUpdate, encodeEntry, encodeRow, encodeRows,
  encodeUpdate,
} from './record-codec.js';
export { decodeBatch, encodeBatch, readBatch } from './batch-codec.js';
export type { EntryBatch } from './batch-codec.js';
export { appliedEntry } from './entry-text.js';
export type { AppliedEntry, AppliedRow } from './applied-entry.js';
export { MadeEntry } from './made-entry.js';
export { isForbiddenKey, valueForm } from './value.js';
export { isLinkUrl, isReplicaId, isReserved, isSpaceId, isWellFormed } from './check.js';
export { isRival, ledgerLineOf, ledgerRow, markOf } from './ledger-line.js';
export { isSeatOf, profileOf, seatId, seatOf } from './seats.js';
export { checksum, cutPages, ledgerPages, pageHash } from './page.js';
export { PageStaging } from './page-staging.js';
export { Exchange } from './exchange.js';
export type { ExchangeConfig } from './exchange.js';
export type { Wants } from './exchange-receiver.js';
export { LinkFlow } from './link-flow.js';
export { LinkExchanges } from './link-exchanges.js';
export type { LinkExchangesConfig, SpaceFail, SpaceOffer } from './link-exchanges.js';
export type { BundleHeader, BundleReader } from './bundle.js';
