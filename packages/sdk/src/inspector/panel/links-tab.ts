/** Connections: address, state, round trips, what is under way. */
import type { ConnectionView } from '../../host/keeper-view.js';
import type { Inspector } from '../inspector.js';
import { button, chip, el, facts, ItemList, table, type Item } from './dom.js';
import type { Tab } from './tab.js';
import { replicaWords, sizeWords, timeWords } from './words.js';

/** An answer to a ping is no news to anyone else: so one looks again, ms after it was asked. */
const LOOKS_AFTER_MS = [100, 500, 2_000];

export function linksTab(inspector: Inspector, changed: () => void): Tab {
  const list = new ItemList('Connections', 'No ways to others were given.');
  const state = el('p', { class: 'count', role: 'status' });
  const ping = (): void => {
    inspector.ping();
    for (const afterMs of LOOKS_AFTER_MS) setTimeout(changed, afterMs);
  };
  const tools = el('div', { class: 'tools' }, button('Ping now', ping), state);
  return {
    id: 'links', title: 'Connections', element: el('div', {}, tools, list.element),
    show(space) {
      const facts = inspector.facts(space);
      const { behind, pending = 0, stalled } = facts ?? {};
      const lag = behind === undefined ? 'not known how far behind' : `${behind} commits behind`;
      state.textContent = `${lag}, ${pending} own waiting${stalled ? `. ${stalled.message}` : ''}`;
      list.show(inspector.connections().map(itemOf));
    },
  };
}

function itemOf(link: ConnectionView, index: number): Item {
  const { transport, state, address, reason, code, roundTripMs, flow, isOfKeeper } = link;
  const trip = roundTripMs === undefined ? '' : `${Math.round(roundTripMs)} ms`;
  return {
    key: `${transport} ${index}`,
    signature: JSON.stringify(link),
    line: () => [
      chip(state, state), el('b', {}, address ?? transport),
      el('span', { class: 'soft' }, [isOfKeeper && 'of the leading tab', trip].filter(Boolean).join(', ')),
      el('span', { class: 'soft cut' }, reason ?? ''),
    ],
    body: () => [
      facts([
        ['Transport', transport], ['State', state], ['Address', address], ['Reason', reason],
        ['Code', code], ['Live since', timeWords(link.liveSince)],
        ['Round trip', trip], ['Protocol', link.version === undefined ? undefined : String(link.version)],
        ['Writes as', link.replica && replicaWords(link.replica)],
        ['Sent', flow && `${sizeWords(flow.sent)} chars, ${sizeWords(flow.acked)} acknowledged`],
        ['Received', flow && `${sizeWords(flow.received)} chars, ${sizeWords(flow.reported)} acknowledged`],
        ['Window', flow && `${sizeWords(flow.inFlight)} of ${sizeWords(flow.window)} chars under way`],
      ]),
      link.spaces.length > 0 && table('Spaces on this link', ['Space', 'Behind', 'Refused'],
        link.spaces.map(({ space, behind, refusal }) =>
          [space, behind === undefined ? 'not told' : String(behind), refusal?.message ?? 'no'])),
    ],
  };
}
