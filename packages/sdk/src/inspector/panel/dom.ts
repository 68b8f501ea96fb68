/**
 * The little that a panel needs of a view library: elements from a description, and lists whose
 * entries stay the same elements while they tell the same, so that what is open stays open, and
 * focus, selection and scroll place survive a change elsewhere.
 */
export type Child = Node | string | undefined | false;

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** `false` and undefined leave an attribute out, `true` sets it without a value. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== undefined && child !== false) element.append(child);
  return element;
}

export function button(
  text: string, onClick: () => void, attributes: Attributes = {},
): HTMLButtonElement {
  const made = el('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', onClick);
  return made;
}

/** One entry of a list: a line, and more when it is opened. */
export interface Item {
  readonly key: string;
  /** Another text when the entry tells something else. */
  readonly signature: string;
  line(): readonly Child[];
  body(): readonly Child[];
}

interface Shown {
  readonly signature: string;
  readonly element: HTMLDetailsElement;
}

export class ItemList {
  readonly element: HTMLElement;
  readonly #none: string;
  readonly #shown = new Map<string, Shown>();

  /** `none`: what stands there while the list is empty. */
  constructor(label: string, none: string) {
    this.element = el('div', { class: 'list', role: 'group', 'aria-label': label });
    this.#none = none;
  }

  show(items: readonly Item[]): void {
    const keys = new Set(items.map(({ key }) => key));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    if (items.length === 0) return this.element.replaceChildren(el('p', { class: 'none' }, this.#none));
    this.element.querySelector(':scope > .none')?.remove();
    items.forEach((item, i) => {
      const element = this.#elementOf(item);
      if (this.element.children[i] !== element) {
        this.element.insertBefore(element, this.element.children[i] ?? null);
      }
    });
  }

  #elementOf(item: Item): HTMLDetailsElement {
    const shown = this.#shown.get(item.key);
    if (shown?.signature === item.signature) return shown.element;
    const element = detailsOf(item);
    this.#shown.set(item.key, { signature: item.signature, element });
    if (shown === undefined) return element;
    const root = this.element.getRootNode();
    const focused = root instanceof ShadowRoot ? root.activeElement : document.activeElement;
    const hadFocus = focused !== null && shown.element.contains(focused);
    element.open = shown.element.open;
    shown.element.replaceWith(element);
    if (hadFocus) element.querySelector('summary')?.focus();
    return element;
  }
}

/** What is not open is not built. */
function detailsOf(item: Item): HTMLDetailsElement {
  const body = el('div', { class: 'body' });
  const element = el('details', { 'data-key': item.key }, el('summary', {}, ...item.line()), body);
  element.addEventListener('toggle', () => {
    if (element.open) body.replaceChildren(...item.body().filter(isThere));
  });
  return element;
}

const isThere = (child: Child): child is Node | string => child !== undefined && child !== false;

/** Names and what stands for them. Those without a value are left out. */
export function facts(pairs: readonly (readonly [name: string, value: Child])[]): HTMLElement {
  const list = el('dl');
  for (const [name, value] of pairs) {
    if (isThere(value) && value !== '') list.append(el('dt', {}, name), el('dd', {}, value));
  }
  return list;
}

export function table(
  caption: string, heads: readonly string[], rows: readonly (readonly Child[])[],
): HTMLElement {
  const head = el('tr', {}, ...heads.map((text) => el('th', { scope: 'col' }, text)));
  const lines = rows.map((cells) => el('tr', {}, ...cells.map((cell, i) =>
    (i === 0 ? el('th', { scope: 'row' }, cell) : el('td', {}, cell)))));
  const made = el('table', {}, el('caption', {}, caption), el('thead', {}, head), el('tbody', {}, ...lines));
  return el('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': caption }, made);
}

export const chip = (text: string, kind: string): HTMLElement =>
  el('span', { class: 'chip', 'data-kind': kind }, text);
