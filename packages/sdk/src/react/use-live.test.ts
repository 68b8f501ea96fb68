// @vitest-environment happy-dom
import { createElement, StrictMode, Suspense, use, type ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Replica } from '../host/replica.js';
import { useLive } from './use-live.js';
import { item, newPage, openShelves, probe, settled, type Shelves, type ShelfSpace } from './testing/page.js';

let replica: Replica<Shelves>;
let space: ShelfSpace;

beforeEach(async () => {
  replica = await openShelves();
  space = await replica.open('room');
});
afterEach(() => replica.close());

/** How many live queries were opened on the space, and how many of them are still open. */
function lives(of: ShelfSpace) {
  const opened = vi.spyOn(of, 'live');
  const isOpen = (live: ReturnType<ShelfSpace['live']>): boolean => {
    try {
      live.get();
      return true;
    } catch {
      return false;
    }
  };
  return {
    opened: () => opened.mock.results.length,
    open: () => opened.mock.results.filter(({ value }) => isOpen(value)).length,
  };
}

const ids = ({ shelf }: { shelf: string }) =>
  useLive(space, (tx) => tx.item.index('byShelf').get(shelf).all().map(({ id }) => id), [shelf]);

describe('useLive', () => {
  it('renders again when what it read has changed, and only then', async () => {
    const { seen, element } = probe(ids);
    const page = newPage();
    await page.show(element({ shelf: 'a' }));
    expect(page.text()).toBe('[]');
    await settled(() => space.mutate.put(item('x')));
    expect(page.text()).toBe('["x"]');
    const renders = seen.length;
    await settled(() => space.mutate.put(item('y', 'b')));
    await settled(() => space.mutate.put(item('x')));
    expect(seen.length).toBe(renders);
    await page.unmount();
  });

  it('is another query when a prop that it closes over is another', async () => {
    space.mutate.put(item('x', 'a'));
    space.mutate.put(item('y', 'b'));
    const { element } = probe(ids);
    const page = newPage();
    const counts = lives(space);
    await page.show(element({ shelf: 'a' }));
    expect(page.text()).toBe('["x"]');
    await page.show(element({ shelf: 'b' }));
    expect(page.text()).toBe('["y"]');
    expect([counts.opened(), counts.open()]).toEqual([2, 1]);
    await settled(() => space.mutate.put(item('z', 'b')));
    expect(page.text()).toBe('["y","z"]');
    await page.unmount();
  });

  it('is never stale without deps', async () => {
    space.mutate.put(item('y', 'b'));
    const { element } = probe(({ shelf }: { shelf: string }) =>
      useLive(space, (tx) => tx.item.index('byShelf').get(shelf).all().map(({ id }) => id)));
    const page = newPage();
    await page.show(element({ shelf: 'a' }));
    await page.show(element({ shelf: 'b' }));
    expect(page.text()).toBe('["y"]');
    await settled(() => space.mutate.put(item('z', 'b')));
    expect(page.text()).toBe('["y","z"]');
    await page.unmount();
  });

  it('gives the same reference while the result is the same, over other deps too', async () => {
    for (const shelf of ['a', 'b']) space.mutate.put(item(`in-${shelf}`, shelf));
    const { seen, element } = probe(({ shelf }: { shelf: string }) => useLive(
      space, (tx) => tx.item.index('byShelf').get(shelf).all().map(({ rank }) => rank), [shelf],
    ));
    const page = newPage();
    await page.show(element({ shelf: 'a' }));
    await page.show(element({ shelf: 'b' }));
    await page.show(element({ shelf: 'b' }));
    expect(seen.length).toBeGreaterThan(2);
    expect(new Set(seen).size).toBe(1);
    await page.unmount();
  });

  it('shows every component of one page the same state', async () => {
    const reads: string[] = [];
    const count = () => useLive(space, (tx) => tx.item.all().length, []);
    const Torn = (): ReactNode => {
      const [one, two] = [count(), count()];
      reads.push(`${one} ${two}`);
      return `${one}`;
    };
    const page = newPage();
    await page.show([createElement(Torn, { key: 1 }), createElement(Torn, { key: 2 })]);
    for (const id of ['x', 'y', 'z']) await settled(() => space.mutate.put(item(id)));
    expect(page.text()).toBe('33');
    expect(reads.every((read) => read[0] === read.at(-1))).toBe(true);
    await page.unmount();
  });

  it('closes its live query when the component leaves, in StrictMode too', async () => {
    const counts = lives(space);
    const { element } = probe(ids);
    const page = newPage();
    await page.show(createElement(StrictMode, null, element({ shelf: 'a' })));
    await settled(() => space.mutate.put(item('x')));
    expect(page.text()).toBe('["x"]');
    expect(counts.open()).toBe(1);
    await page.unmount();
    expect(counts.opened()).toBeGreaterThan(0);
    expect(counts.open()).toBe(0);
  });

  it('opens nothing in a render that is thrown away', async () => {
    const counts = lives(space);
    let go: (word: string) => void = () => undefined;
    const word = new Promise<string>((resolve) => { go = resolve; });
    const { seen, element } = probe(({ shelf }: { shelf: string }) => [ids({ shelf }), use(word)]);
    const page = newPage();
    const renderedBefore = vi.spyOn(space, 'query');
    await page.show(createElement(Suspense, { fallback: 'waiting' }, element({ shelf: 'a' })));
    expect(page.text()).toBe('waiting');
    expect(renderedBefore).toHaveBeenCalled();
    expect([seen.length, counts.opened()]).toEqual([0, 0]);
    await settled(() => go('here'));
    expect(page.text()).toBe('[[],"here"]');
    expect(counts.open()).toBe(1);
    await page.unmount();
    expect(counts.open()).toBe(0);
  });

  it('takes what was written between its render and its subscription', async () => {
    const Writer = ({ id }: { id: string }): ReactNode => {
      if (!space.query((tx) => tx.item.has(id))) space.mutate.put(item(id));
      return null;
    };
    const { element } = probe(ids);
    const page = newPage();
    await page.show([
      createElement('p', { key: 1 }, element({ shelf: 'a' })), createElement(Writer, { key: 2, id: 'x' }),
    ]);
    expect(page.text()).toBe('["x"]');
    await page.unmount();
  });

  it('waits for a space that is still opening', async () => {
    let open: () => void = () => undefined;
    const opening = new Promise<ShelfSpace>((resolve) => { open = () => resolve(space); });
    const { element } = probe(() => useLive(opening, (tx) => tx.item.all().length, []));
    const page = newPage();
    await page.show(createElement(Suspense, { fallback: 'opening' }, element({})));
    expect(page.text()).toBe('opening');
    await settled(open);
    expect(page.text()).toBe('0');
    await settled(() => space.mutate.put(item('x')));
    expect(page.text()).toBe('1');
    await page.unmount();
  });

  it('gives undefined where there is no space', async () => {
    const none: ShelfSpace | undefined = undefined;
    const { element } = probe(() => useLive<Shelves, number>(none, (tx) => tx.item.all().length, []));
    const page = newPage();
    await page.show(element({}));
    expect(page.text()).toBe('undefined');
    await page.unmount();
  });

  it('reads the committed view when asked for it', async () => {
    space.mutate.put(item('x'));
    const { element } = probe(({ view }: { view: 'tentative' | 'committed' }) =>
      useLive(space, (tx) => tx.item.all().length, [], { view }));
    const page = newPage();
    await page.show(element({ view: 'tentative' }));
    expect(page.text()).toBe('1');
    await page.show(element({ view: 'committed' }));
    expect(page.text()).toBe('0');
    await settled(async () => {
      replica.goOnline();
      await space.pending()[0]?.receipt?.until('committed');
    });
    expect(page.text()).toBe('1');
    await page.unmount();
  });
});

describe('useLive on a server', () => {
  it('renders what the space holds, or what is given for the server', () => {
    space.mutate.put(item('x'));
    const counts = lives(space);
    const held = probe(ids);
    expect(renderToString(held.element({ shelf: 'a' }))).toBe('[&quot;x&quot;]');
    const given = probe(() => useLive(space, (tx) => tx.item.all().length, [], { server: 7 }));
    expect(renderToString(given.element({}))).toBe('7');
    expect(counts.opened()).toBe(0);
  });

  it('hands over from what the server rendered to what is here, without a mismatch', async () => {
    space.mutate.put(item('x'));
    const { hydrateRoot } = await import('react-dom/client');
    const { element, seen } = probe(() => useLive(space, (tx) => tx.item.all().length, [], { server: 0 }));
    const container = document.createElement('div');
    container.innerHTML = renderToString(element({}));
    seen.length = 0;
    const mismatches: unknown[] = [];
    await settled(() => {
      const root = hydrateRoot(container, element({}), { onRecoverableError: (e) => mismatches.push(e) });
      return root;
    });
    expect(container.textContent).toBe('1');
    expect(seen[0]).toBe(0);
    expect(mismatches).toEqual([]);
  });
});
