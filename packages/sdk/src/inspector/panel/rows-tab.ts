/** The two views of rows side by side. */
import type { Inspector } from '../inspector.js';
import type { RowPair } from '../rows.js';
import { chip, el, facts, ItemList, table, type Item } from './dom.js';
import { filterField, pick, type Tab } from './tab.js';
import { idWords, rowWords, turnWords, valueWords } from './words.js';

const ALL = 'all tables';

export function rowsTab(inspector: Inspector, changed: () => void): Tab {
  const list = new ItemList('Rows', 'No such rows.');
  const of = pick<string>('Table', [ALL], changed);
  const scope = pick('Show', ['all', 'with tentative writes'], changed);
  const filter = filterField('Filter by key or value', changed);
  const count = el('p', { class: 'count', role: 'status' });
  const tools = el('div', { class: 'tools' }, of.element, scope.element, filter.element, count);
  return {
    id: 'rows', title: 'Rows', element: el('div', {}, tools, list.element),
    show(space) {
      of.offer([ALL, ...inspector.tables(space)]);
      const { rows, isCut } = inspector.rows(space, {
        table: of.value === ALL ? undefined : of.value,
        changedOnly: scope.value !== 'all', text: filter.value,
      });
      count.textContent = isCut ? `the first ${rows.length}` : `${rows.length}`;
      list.show(rows.map(itemOf));
    },
  };
}

function itemOf(pair: RowPair): Item {
  const { committed, tentative, fields, writers } = pair;
  const kind = committed === undefined ? 'added' : tentative === undefined ? 'deleted' : 'changed';
  const turns = committed !== undefined && tentative !== undefined ? fields.map(turnWords).join(', ') : '';
  return {
    key: `${pair.table}\u0000${pair.keyText}`,
    signature: `${rowWords(committed)} ${rowWords(tentative)} ${valueWords(writers)}`,
    line: () => [
      fields.length === 0 ? chip('final', 'committed') : chip(kind, kind),
      el('b', {}, `${pair.table} ${pair.key}`),
      el('span', { class: 'soft cut' }, turns === '' ? rowWords(tentative ?? committed) : turns),
    ],
    body: () => [
      table('Both views', ['Field', 'Committed', 'Tentative'], fieldRows(pair)),
      facts([['Written by', writers.map(({ id, name }) => `${name} ${idWords(id)}`).join(', ')]]),
    ],
  };
}

function fieldRows({ committed, tentative, fields }: RowPair) {
  const differing = new Set(fields.map(({ field }) => field));
  const names = new Set([...Object.keys(committed ?? {}), ...Object.keys(tentative ?? {})]);
  return [...names].map((field) => {
    const mark = differing.has(field);
    const shown = (row: typeof committed): HTMLElement | string => {
      const text = row === undefined ? '(no row)' : valueWords(row[field]);
      return mark ? el('mark', {}, text) : text;
    };
    return [field, shown(committed), shown(tentative)];
  });
}
