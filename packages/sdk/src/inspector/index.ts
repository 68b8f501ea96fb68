/** `@oxbow/sdk/inspector`: to be loaded when somebody wants to look, and not before. */
export { inspect } from './inspector.js';
export type { Inspected, Inspector } from './inspector.js';
export type { ConnectionView, StoredSpaceView, StoreView } from '../host/keeper-view.js';
export type { FieldTurn, FoundRows, RowPair, RowSearch } from './rows.js';
export type { Meeting, RebaseStep, RunView, Writer } from './steps.js';
export type { StorageView, StoreContents } from './storage-view.js';
export type { EntryView, PastRow, RowChangeView, RowsThen, RowThen } from './travel.js';
export type { UpdateView } from './updates.js';
export { showInspector } from './panel/panel.js';
export type { Panel, PanelOptions } from './panel/panel.js';
