/** Rebase steps: what ran again and why. */
import { updateKey } from '../../protocol/index.js';
import type { Inspector } from '../inspector.js';
import type { Meeting, RebaseStep, RunView, Writer } from '../steps.js';
import { chip, el, ItemList, type Item } from './dom.js';
import type { Tab } from './tab.js';
import { idWords, outcomeWords, rowWords, timeWords } from './words.js';

export function stepsTab(inspector: Inspector): Tab {
  const list = new ItemList('Rebase steps', 'Nothing has been rebased since the inspector was opened.');
  return {
    id: 'steps', title: 'Rebase', element: el('div', {}, list.element),
    show: (space) => list.show(inspector.steps(space).map(itemOf)),
  };
}

function itemOf(step: RebaseStep): Item {
  const { number, runs, ran, pending, isReplay } = step;
  const changed = runs.filter(({ isChanged, why }) => isChanged && why !== 'arrived').length;
  return {
    key: String(number), signature: '',
    line: () => [
      chip(isReplay ? 'replay' : `#${number}`, ran === 0 ? 'committed' : 'step'),
      el('b', {}, causeOf(step)),
      el('span', { class: 'soft' }, `${ran} ran, ${pending} wait, ${changed} changed`),
      el('time', {}, timeWords(step.at)),
    ],
    body: () => [
      ran === 0 && el('p', {}, 'Nothing that waits had read what changed: all effects were kept.'),
      isReplay && el('p', {}, 'A whole base was received: everything that waits ran again on it.'),
      el('ul', {}, ...runs.map(runOf)),
      ran > runs.length && runs.length > 0 && el('p', {}, `… and ${ran - runs.length} more.`),
    ],
  };
}

function causeOf({ csnBefore, csn, isReplay, runs }: RebaseStep): string {
  if (isReplay) return `base received at csn ${csn}`;
  const arrived = runs.filter(({ why }) => why === 'arrived').length;
  if (csn > csnBefore) return csn === csnBefore + 1 ? `commit ${csn}` : `commits ${csnBefore + 1} to ${csn}`;
  return arrived > 0 ? `${arrived} arrived` : 'updates left';
}

function runOf({ id, name, why, meetings, before, now, isChanged }: RunView): HTMLElement {
  const turn = before === undefined || outcomeWords(before) === outcomeWords(now)
    ? outcomeWords(now)
    : `${outcomeWords(before)} → ${outcomeWords(now)}`;
  const reasons = { arrived: 'new here', author: 'its author is another now', read: '' };
  return el('li', { 'data-update': updateKey(id) },
    el('b', {}, name), ` ${idWords(id)} `, chip(turn, now.kind), ' ',
    el('span', { class: 'soft' }, isChanged ? reasons[why] : `${reasons[why]} same effects as before`),
    meetings.length > 0 && el('ul', {}, ...meetings.map(meetingOf)));
}

function meetingOf({ table, key, read, by, before, now }: Meeting): HTMLElement {
  const how = read === 'key' ? `read ${table} ${key}` : `read ${table}${read.index && `.${read.index}`} ${read.range}`;
  return el('li', {}, `${how}, met ${table} ${key}, changed by ${writerWords(by)}: `,
    el('code', {}, `${rowWords(before)} → ${rowWords(now)}`));
}

function writerWords(by: Writer): string {
  if (by.kind === 'commit') return `commit ${by.csn} (${by.name ?? 'body not held'})`;
  return by.kind === 'update' ? `${by.name} ${idWords(by.id)}` : 'what is no longer held';
}
