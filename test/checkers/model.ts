/**
 * What the system under test claims to be: a sequential object, as a pure function from state to
 * state. The search tries orders of a history against it and never looks at how the real thing
 * works.
 */
import type { Operation } from './history.js';

export interface Model<State, Input, Output> {
  readonly initial: State;
  /**
   * The state after `input` was answered with `output`; undefined: it can't have been.
   * An undefined output fits whatever the object would have answered.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal texts for equal states, and for no others. */
  keyOf(state: State): string;
  /**
   * Operations of different parts must not affect each other: then a history is linearizable when
   * each of its parts is (Herlihy and Wing's locality; Horn and Kroening's P-compositionality,
   * 2015).
   */
  partOf?(input: Input): string;
  /** It never changes any state. Where such an operation fits, trying it later can gain nothing. */
  isRead?(input: Input): boolean;
  /**
   * A model that judges just these operations alike and refuses sooner what can't come out right.
   * Without it the proof that there is no order may have to try them all.
   */
  knowing?(operations: readonly Operation<Input, Output>[]): Model<State, Input, Output>;
}

export type RegisterInput =
  | { readonly kind: 'read'; readonly key: string }
  | { readonly kind: 'write'; readonly key: string; readonly value: string }
  /** Answers whether the register held `expected`, and now holds `value`. */
  | {
      readonly kind: 'swap';
      readonly key: string;
      readonly expected: string;
      readonly value: string;
    };

/** What a read found, 'ok' for a write, whether a swap took place. */
export type RegisterOutput = string | boolean;

/** One register per key, '' at first. */
export const registers: Model<string, RegisterInput, RegisterOutput> = {
  initial: '',
  step(state, input, output) {
    switch (input.kind) {
      case 'read': return output === undefined || output === state ? state : undefined;
      case 'write': return input.value;
      case 'swap': {
        const isSwapped = state === input.expected;
        if (output !== undefined && output !== isSwapped) return undefined;
        return isSwapped ? input.value : state;
      }
    }
  },
  keyOf: (state) => state,
  partOf: (input) => input.key,
  isRead: (input) => input.kind === 'read',
};

export type ListInput =
  | { readonly kind: 'append'; readonly key: string; readonly value: string }
  | { readonly kind: 'read'; readonly key: string };

/** What a read found, 'ok' for an append. Values contain no comma. */
export type ListOutput = string;

/**
 * One list per key, as text with commas. Stronger than a register: each read tells the whole
 * past, so a value that came twice, late, or in another order shows for ever after.
 */
export const lists: Model<string, ListInput, ListOutput> = {
  initial: '',
  step(state, input, output) {
    if (input.kind === 'append') return appended(state, input.value);
    return output === undefined || output === state ? state : undefined;
  },
  keyOf: (state) => state,
  partOf: (input) => input.key,
  isRead: (input) => input.kind === 'read',
  knowing: (operations) => listsThatLeadTo(longestRead(operations)),
};

const appended = (list: string, value: string): string =>
  (list === '' ? value : `${list},${value}`);

/** No value can stand here: beyond what anyone read, orders make no difference. */
const BEYOND = ',';

/** The longest list that was read tells the order of all that is in it. */
function listsThatLeadTo(known: string): Model<string, ListInput, ListOutput> {
  const values = new Set(known.split(','));
  return {
    ...lists,
    step(state, input, output) {
      if (input.kind === 'read') return lists.step(state, input, output);
      if (state === known || state === BEYOND) {
        // Never seen, never answered: as well it never took effect.
        return output === undefined ? undefined : BEYOND;
      }
      if (!values.has(input.value)) return undefined;
      const next = appended(state, input.value);
      return known === next || known.startsWith(`${next},`) ? next : undefined;
    },
  };
}

function longestRead(operations: readonly Operation<ListInput, ListOutput>[]): string {
  let longest = '';
  for (const { input, output } of operations) {
    if (input.kind !== 'read' || output === undefined) continue;
    if (output.length > longest.length) longest = output;
  }
  return longest;
}
