/** The log of updates: stage, outcome, stamp, context, effects. */
import { updateKey } from '../../protocol/index.js';
import type { Effect } from '../../protocol/index.js';
import { keyWords } from '../key-words.js';
import type { Inspector } from '../inspector.js';
import type { UpdateView } from '../updates.js';
import { chip, el, facts, ItemList, table, type Child, type Item } from './dom.js';
import { filterField, pick, type Tab } from './tab.js';
import { idWords, outcomeWords, replicaWords, rowWords, timeWords, valueWords } from './words.js';

const SHOWN_MAX = 300;

const CHOICES = ['all', 'waiting', 'settled', 'not as asked'] as const;
type Choice = (typeof CHOICES)[number];

export function updatesTab(inspector: Inspector, changed: () => void): Tab {
  const list = new ItemList('Updates', 'No updates.');
  const which = pick('Show', CHOICES, changed);
  const filter = filterField('Filter by name, id or arguments', changed);
  const count = el('p', { class: 'count', role: 'status' });
  const tools = el('div', { class: 'tools' }, which.element, filter.element, count);
  const element = el('div', {}, tools, list.element);
  return {
    id: 'updates', title: 'Updates', element,
    show(space) {
      const all = inspector.updates(space);
      const sought = filter.value.toLowerCase();
      const found = all.filter((view) => isChosen(view, which.value) && matches(view, sought));
      count.textContent = `${found.length} of ${all.length}`;
      list.show(found.slice(0, SHOWN_MAX).map(itemOf));
    },
  };
}

function isChosen({ csn, stage, outcome }: UpdateView, choice: Choice): boolean {
  const isSettled = csn !== undefined || stage === 'committed';
  switch (choice) {
    case 'all': return true;
    case 'waiting': return !isSettled;
    case 'settled': return isSettled;
    case 'not as asked': return outcome.kind !== 'applied';
  }
}

const matches = (view: UpdateView, sought: string): boolean => sought === ''
  || `${view.name} ${updateKey(view.id)} ${view.user} ${valueWords(view.args)}`.toLowerCase().includes(sought);

function itemOf(view: UpdateView): Item {
  const { id, stage, csn, outcome, name, at, own, user } = view;
  const place = csn === undefined ? stage : `csn ${csn}`;
  const by = own ? 'here' : user ?? replicaWords(id.replica);
  return {
    key: updateKey(id),
    signature: [place, stage, valueWords(outcome), by, valueWords(view.effects),
      view.obstacles?.length, view.reads && JSON.stringify(view.reads)].join(' '),
    line: () => [
      chip(place, stage), el('b', {}, name ?? '(body not held)'),
      chip(outcomeWords(outcome), outcome.kind), view.opaque && chip('unknown here', 'opaque'),
      el('span', { class: 'soft' }, `${by} · ${idWords(id)}`),
      el('time', {}, timeWords(at)),
    ],
    body: () => bodyOf(view),
  };
}

function bodyOf(view: UpdateView): Child[] {
  const { id, stage, lamport, context, version, args, outcome, user, obstacles, attempt } = view;
  const { reads, formerly, committedAt, effects } = view;
  const seen = context && Object.entries(context.vector);
  // reason: Object.entries forgets the branded key type.
  const vector = seen?.map(([replica, seq]) =>
    idWords({ replica: replica as typeof id.replica, seq }));
  return [
    facts([
      ['Id', updateKey(id)],
      ['Stamp', lamport === undefined ? undefined : `${lamport} · ${replicaWords(id.replica)}`],
      ['Context', context && `csn ${context.csn}${vector?.length ? `, and ${vector.join(', ')}` : ''}`],
      ['Stage', stage], ['Author', user ?? undefined],
      ['Made', timeWords(view.at)], ['Committed', timeWords(committedAt)],
      ['First id', formerly && updateKey(formerly)],
      ['Arguments', `${valueWords(args)}${version === undefined ? '' : ` (version ${version})`}`],
      ['Outcome', 'detail' in outcome ? `${outcomeWords(outcome)} ${valueWords(outcome.detail)}` : outcomeWords(outcome)],
      ['Stood in its way', obstacles?.map(({ csn, name, user: by }) =>
        `csn ${csn} ${name ?? ''} by ${by ?? 'nobody known'}`).join('; ')],
      ['Read', reads && [
        ...reads.keys.map(({ table: of, key }) => `${of} ${key}`),
        ...reads.ranges.map(({ table: of, index, range }) => `${of}${index && `.${index}`} ${range}`),
      ].join('; ')],
    ]),
    effects.length > 0 && effectsTable('Rows as it leaves them', effects),
    attempt !== undefined && attempt !== effects && attempt.length > 0
      && effectsTable('What its first run here had written', attempt),
  ];
}

const effectsTable = (caption: string, effects: readonly Effect[]): HTMLElement =>
  table(caption, ['Row', 'Value'], effects.slice(0, 100).map((effect) =>
    [`${effect.table} ${keyWords(effect.key)}`, effect.row === null ? 'deleted' : rowWords(effect.row)]));
