// @vitest-environment happy-dom
/** The panel as its user meets it: tabs, lists, what stays open. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { memory } from '../../drivers/storage-memory.js';
import { systemClock } from '../../drivers/system-clock.js';
import { memoryTransport } from '../../drivers/transport-memory.js';
import { openReplica } from '../../host/open-replica.js';
import type { Replica } from '../../host/replica.js';
import type { Space } from '../../host/space.js';
import { TestServer } from '../../host/testing/test-server.js';
import { shelfApp as app } from '../../replica/testing/shelf-app.js';
import { inspect } from '../inspector.js';
import { showInspector, type Panel } from './panel.js';

let replica: Replica<typeof app>;
let space: Space<typeof app>;
let panel: Panel;

beforeEach(async () => {
  const server = new TestServer(app);
  replica = await openReplica({
    app, dev: true, storage: memory(), offline: true,
    sync: [memoryTransport({ clock: systemClock, accept: server.accept })],
  });
  space = await replica.open('room');
  panel = showInspector(replica);
});
afterEach(async () => {
  panel.close();
  await replica.close();
});

const root = (): ShadowRoot => {
  const { shadowRoot } = panel.element;
  if (shadowRoot === null) throw new Error('the panel has a shadow root');
  return shadowRoot;
};
const tab = (title: string): HTMLElement => {
  const found = [...root().querySelectorAll<HTMLElement>('[role=tab]')].find((head) => head.textContent === title);
  if (found === undefined) throw new Error(`no tab ${title}`);
  return found;
};
const seen = (): HTMLElement => {
  const shown = [...root().querySelectorAll<HTMLElement>('[role=tabpanel]')].filter(({ hidden }) => !hidden);
  expect(shown).toHaveLength(1);
  return shown[0] ?? panel.element;
};
const lines = (): string[] => [...seen().querySelectorAll('summary')].map(({ textContent }) => textContent ?? '');
const put = (id: string) => space.mutate.put({ id, shelf: 'a', rank: 1 });

async function syncAll(): Promise<void> {
  replica.goOnline();
  await Promise.all(space.pending().map(({ receipt }) => receipt?.until('committed')));
}

it('shows updates as they come, and an open one stays open while others change', async () => {
  put('x');
  await expect.poll(lines).toEqual([expect.stringContaining('put')]);
  const details = seen().querySelector('details');
  if (details === null) throw new Error('an update is shown');
  details.open = true;
  await expect.poll(() => details.textContent).toContain('"x"');
  await expect.poll(() => lines()[0]).toContain('saved');
  put('y');
  await expect.poll(() => lines().length).toBe(2);
  expect([...seen().querySelectorAll('details')].map(({ open }) => open)).toEqual([false, true]);
});

it('has one tab stop; arrows, Home and End go from tab to tab', async () => {
  const press = (key: string): void => {
    root().querySelector('[role=tablist]')?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  };
  const selected = () => [...root().querySelectorAll('[role=tab][aria-selected=true]')].map(({ textContent }) => textContent);
  press('ArrowRight');
  expect(selected()).toEqual(['Rows']);
  press('End');
  expect(selected()).toEqual(['Time travel']);
  press('ArrowRight');
  expect(selected()).toEqual(['Updates']);
  expect(root().querySelectorAll('[role=tab][tabindex="0"]')).toHaveLength(1);
});

it('goes back in time with the slider', async () => {
  put('x');
  put('y');
  await syncAll();
  tab('Time travel').click();
  await expect.poll(() => lines().length).toBe(2);
  const slider = seen().querySelector('input');
  if (slider === null) throw new Error('there is a slider');
  slider.value = '1';
  slider.dispatchEvent(new Event('input'));
  await expect.poll(lines).toEqual([expect.stringContaining('not there yet'), expect.stringContaining('item x')]);
  expect(seen().textContent).toContain('csn 1 of 2');
});

it('tells what ran again, and why', async () => {
  replica.goOnline();
  for (const id of ['a', 'b', 'c']) space.mutate.place({ id, shelf: 's', rank: 1, orElse: [], insist: false });
  await syncAll();
  tab('Rebase').click();
  await expect.poll(() => lines().join('\n')).toContain('commits 1 to 3');
});

it('ends with Escape: it is gone, and nothing is recorded any more', async () => {
  const inspector = inspect(replica);
  panel.element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
  expect(document.querySelector('[data-oxbow-inspector]')).toBeNull();
  expect(inspect(replica)).not.toBe(inspector);
});
