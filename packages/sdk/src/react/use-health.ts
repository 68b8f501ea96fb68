/**
 * `useHealth`: disk, links and progress. Health objects tell what is so now, each time they are
 * read; React needs values that stand still between two notifications. An age grows without any
 * notification: it is read anew each second, and counts as no change in between.
 */
import { useMemo } from 'react';
import type { ReplicaHealth } from '../host/health.js';
import { sameValue } from '../model/index.js';
import { useOpened, type Opening } from './opened.js';
import { NOTHING, type Store } from './store.js';
import { useStore } from './use-store.js';

/** Health as it stands in one render: its values without its methods. */
export type HealthState<H extends ReplicaHealth> = {
  readonly [K in keyof H as H[K] extends (...args: never[]) => unknown ? never : K]: H[K];
};

/** A replica or a space. */
export interface Watched<H extends ReplicaHealth> {
  readonly health: H;
}

/** A person reads seconds of an age. */
const AGE_MS = 1_000;

/**
 * Health of a replica or a space. `select` takes what is shown of it: the component renders again
 * only when that has changed. Undefined while `of` is.
 *
 * @example
 * const stalled = useHealth(team, (health) => health.stalled?.message);
 */
export function useHealth<H extends ReplicaHealth, S = HealthState<H>>(
  of: Watched<H> | PromiseLike<Watched<H>>, select?: (health: HealthState<H>) => S,
): S;
export function useHealth<H extends ReplicaHealth, S = HealthState<H>>(
  of: Opening<Watched<H>>, select?: (health: HealthState<H>) => S,
): S | undefined;
export function useHealth<H extends ReplicaHealth>(
  of: Opening<Watched<H>>, select?: (health: HealthState<H>) => unknown,
): unknown {
  const health = useOpened(of)?.health;
  const store = useMemo(() => (health === undefined ? NOTHING : healthStore(health)), [health]);
  const selected = useMemo((): Store<unknown> => ({
    subscribe: store.subscribe,
    get: selecting(store, select),
  }), [store, select]);
  return useStore(selected);
}

/** What `select` makes of a state, made once of each. */
function selecting<H extends ReplicaHealth>(
  store: Store<HealthState<H> | undefined>,
  select: ((health: HealthState<H>) => unknown) | undefined,
): () => unknown {
  let last: { readonly of: HealthState<H> | undefined; readonly selected: unknown } | undefined;
  return () => {
    const state = store.get();
    if (state === undefined || select === undefined) return state;
    if (last?.of === state) return last.selected;
    const selected = select(state);
    const isSame = last !== undefined && sameValue(last.selected, selected);
    last = { of: state, selected: isSame ? last?.selected : selected };
    return last.selected;
  };
}

function healthStore<H extends ReplicaHealth>(health: H): Store<HealthState<H>> {
  let state = stateOf(health);
  const get = (): HealthState<H> => {
    const now = stateOf(health);
    if (!sameValue(ageless(state), ageless(now))) state = now;
    return state;
  };
  const subscribe = (fn: () => void): (() => void) => {
    const renew = (): void => {
      const now = stateOf(health);
      if (sameValue(state, now)) return;
      state = now;
      fn();
    };
    const stop = health.subscribe(fn);
    const timer = setInterval(renew, AGE_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  };
  return { get, subscribe };
}

/** Without what grows by itself. */
const ageless = (state: object): object =>
  ('oldestPendingMs' in state && state.oldestPendingMs !== undefined
    ? { ...state, oldestPendingMs: 0 }
    : state);

/** Of every getter: what health will tell one day is in it. */
function stateOf<H extends ReplicaHealth>(health: H): HealthState<H> {
  const state: Record<string, unknown> = {};
  for (let layer: object = health; layer !== Object.prototype; layer = parentOf(layer)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(layer))) {
      if (get !== undefined && !(name in state)) state[name] = get.call(health);
    }
  }
  // reason: values of its class are its getters and nothing else.
  return state as HealthState<H>;
}

// reason: the prototypes above an object of a class are objects, the last one Object.prototype.
const parentOf = (layer: object): object => Object.getPrototypeOf(layer) as object;
