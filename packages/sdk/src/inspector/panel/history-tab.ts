/** Time travel: the rows as of a csn, and what its entry changed. */
import type { Inspector } from '../inspector.js';
import type { EntryView, RowThen } from '../travel.js';
import { button, chip, el, ItemList, table, type Item } from './dom.js';
import { pick, type Tab } from './tab.js';
import { outcomeWords, pastWords, replicaWords, rowWords, timeWords, turnWords } from './words.js';

const ALL = 'all tables';

export function historyTab(inspector: Inspector, changed: () => void): Tab {
  const slider = el('input', { type: 'range', 'aria-label': 'As of csn', step: 1 });
  const label = el('output', { class: 'csn' });
  /** Undefined: follow the newest. */
  let chosen: number | undefined;
  const go = (csn: number): void => {
    chosen = csn >= Number(slider.max) ? undefined : Math.max(csn, Number(slider.min));
    changed();
  };
  slider.addEventListener('input', () => go(Number(slider.value)));
  const of = pick<string>('Table', [ALL], changed);
  const tools = el('div', { class: 'tools' },
    button('◀', () => go(Number(slider.value) - 1), { 'aria-label': 'One commit back' }), slider,
    button('▶', () => go(Number(slider.value) + 1), { 'aria-label': 'One commit on' }), label, of.element);
  const entry = el('div', { class: 'pad entry', 'aria-live': 'polite' });
  const list = new ItemList('Rows as they were', 'There were no rows.');
  return {
    id: 'history', title: 'Time travel', element: el('div', {}, tools, entry, list.element),
    show(space) {
      const { from, to } = inspector.reach(space);
      [slider.min, slider.max] = [String(from), String(to)];
      const csn = Math.min(to, Math.max(from, chosen ?? to));
      slider.value = String(csn);
      label.textContent = csn === to ? `csn ${csn}, now` : `csn ${csn} of ${to}`;
      of.offer([ALL, ...inspector.tables(space)]);
      showEntry(entry, inspector.entries(space).find((one) => one.entry.csn === csn));
      const table = of.value === ALL ? undefined : of.value;
      list.show(inspector.rowsAt(space, csn, { table }).rows.map(itemOf));
    },
  };
}

function showEntry(element: HTMLElement, view: EntryView | undefined): void {
  const key = String(view?.entry.csn ?? '');
  if (element.dataset['csn'] === key) return;
  element.dataset['csn'] = key;
  if (view === undefined) return element.replaceChildren('Before the first entry that is kept.');
  const { entry: { csn, id, user, outcome, body, at }, changes } = view;
  const rows = changes.slice(0, 100).map(({ table: of, key: row, before, now, fields }) => [
    `${of} ${row}`,
    before.isKnown && before.row && now ? fields.map(turnWords).join(', ') || 'the same'
      : `${pastWords(before)} → ${rowWords(now)}`,
  ]);
  element.replaceChildren(
    el('p', {}, chip(`csn ${csn}`, 'committed'), ' ', el('b', {}, body?.name ?? '(body not held)'),
      ' ', chip(outcomeWords(outcome), outcome.kind),
      el('span', { class: 'soft' }, ` by ${user ?? replicaWords(id.replica)}, ${timeWords(at)}`)),
    rows.length > 0 ? table('What it changed', ['Row', 'Change'], rows) : el('p', {}, 'It changed no row.'),
  );
}

function itemOf({ table: of, key, keyText, then, now, isChanged }: RowThen): Item {
  const isGone = then.isKnown && then.row === undefined;
  const kind = !isChanged ? 'same' : isGone ? 'not there yet' : now === undefined ? 'deleted since' : 'changed since';
  return {
    key: `${of}\u0000${keyText}`,
    signature: `${pastWords(then)} ${rowWords(now)}`,
    line: () => [
      chip(kind, isChanged ? 'changed' : 'committed'), el('b', {}, `${of} ${key}`),
      el('span', { class: 'soft cut' }, pastWords(then)),
    ],
    body: () => [table('Then and now', ['', 'Row'], [['Then', pastWords(then)], ['Now', rowWords(now)]])],
  };
}
