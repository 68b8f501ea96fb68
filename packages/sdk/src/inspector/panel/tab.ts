/** What each tab of the panel is, and the controls that several of them have. */
import { el } from './dom.js';

export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly element: HTMLElement;
  /** Shows what is so now. Called once per frame at most, and only while the tab is seen. */
  show(space: string): void;
}

export interface Control<T> {
  readonly element: HTMLElement;
  readonly value: T;
}

/** A choice among few. */
export function pick<const T extends string>(
  label: string, choices: readonly T[], changed: () => void,
): Control<T> & { offer(choices: readonly T[]): void } {
  const select = el('select');
  let offered: readonly T[] = [];
  const offer = (now: readonly T[]): void => {
    if (now.join('\n') === offered.join('\n')) return;
    const { value } = select;
    offered = now;
    select.replaceChildren(...now.map((choice) => el('option', {}, choice)));
    if (now.some((choice) => choice === value)) select.value = value;
  };
  offer(choices);
  select.addEventListener('change', changed);
  return {
    element: el('label', { class: 'pick' }, `${label} `, select),
    offer,
    get value() {
      const [first] = offered;
      return offered.find((choice) => choice === select.value) ?? first ?? neverEmpty();
    },
  };
}

function neverEmpty(): never {
  throw new RangeError('A choice has something to choose from.');
}

export function filterField(label: string, changed: () => void): Control<string> {
  const input = el('input', { type: 'search', placeholder: label, 'aria-label': label });
  input.addEventListener('input', changed);
  return {
    element: input,
    get value() {
      return input.value.trim();
    },
  };
}
