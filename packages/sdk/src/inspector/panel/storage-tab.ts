/** Storage: what the store holds, how it is, when it was written last. */
import type { Inspector } from '../inspector.js';
import type { StorageView, StoreContents } from '../storage-view.js';
import { button, el, facts, table } from './dom.js';
import type { Tab } from './tab.js';
import { sizeWords, timeWords } from './words.js';

export function storageTab(inspector: Inspector): Tab {
  const state = el('div');
  const contents = el('div', { 'aria-live': 'polite' });
  const count = async (): Promise<void> => {
    try {
      contents.replaceChildren(contentsTable(await inspector.contents()));
    } catch (error) {
      contents.replaceChildren(`The store cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const tools = el('div', { class: 'tools' }, button('Count what is stored', () => void count()));
  let shown = '';
  return {
    id: 'storage', title: 'Storage', element: el('div', { class: 'pad' }, state, tools, contents),
    show() {
      const view = inspector.storage();
      const text = JSON.stringify(view);
      if (text === shown) return;
      shown = text;
      state.replaceChildren(healthOf(view), spacesOf(view));
    },
  };
}

function healthOf(view: StorageView): HTMLElement {
  const { kind, status, code, persisted, usageBytes, quotaBytes, evicted } = view;
  const { savedAt, unsynced } = view;
  const usage = usageBytes === undefined ? undefined : `${sizeWords(usageBytes)} bytes`;
  const quota = quotaBytes === undefined ? '' : ` of ${sizeWords(quotaBytes)}`;
  const keeps = { true: 'the browser will not clear it by itself', false: 'the browser may clear it', undefined: '' };
  return facts([
    ['Store', kind], ['State', `${status}${code === undefined ? '' : ` (${code})`}`],
    ['Persisted', keeps[`${persisted}`]], ['Used by the site', usage && usage + quota],
    ['Last flush', timeWords(savedAt)],
    ['On disk', view.isSaved ? 'everything' : 'writes are under way'],
    ['Only here', `${unsynced} updates, ${view.unsaved} of them not on disk`],
    ['Evicted', evicted && `yes; unsynced were in: ${evicted.unsynced.join(', ') || 'none'}`],
  ]);
}

const spacesOf = ({ spaces }: StorageView): HTMLElement => table(
  'Open spaces', ['Space', 'csn', 'Kept entries', 'Waiting', 'Conflicts', 'Committed rows', 'Damage'],
  spaces.map(({ space, csn, kept, pending, conflicts, rows, damage }) => [
    space, String(csn), kept === undefined ? 'none' : `${kept.from} to ${kept.to}`,
    String(pending), String(conflicts),
    Object.entries(rows).map(([name, size]) => `${name} ${size}`).join(', ') || 'none',
    damage?.message ?? 'none',
  ]),
);

const contentsTable = ({ spaces }: StoreContents): HTMLElement => table(
  'Records in the store, and their size in chars', ['Space', 'Meta', 'Updates', 'Entries', 'Pages'],
  spaces.map(({ space, collections: { meta, updates, entries, pages } }) => [
    space === '' ? '(profile)' : space,
    ...[meta, updates, entries, pages].map(({ records, chars }) => `${records} · ${sizeWords(chars)}`),
  ]),
);
