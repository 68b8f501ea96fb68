/** `mutation()` and `unchecked()`. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { MutationOf, MutationOptions } from './inference.js';

/**
 * One mutation: intent with its own way out of conflicts. Within `defineApp` everything is
 * inferred:
 *
 *     book: mutation({
 *       args: BookArgs,
 *       check: (tx, a) => tx.booking.index('bySlot').get(a.room, a.start).none(),
 *       apply: (tx, a) => tx.booking.put({ id: a.id, room: a.room, start: a.start }),
 *       alternatives: (a) => a.orElse.map((start) => ({ ...a, start })),
 *       merge: (tx, a) => reject('room-full', { room: a.room }),
 *     })
 *
 * In a module of its own: `mutation<typeof tables>()({…})`. Functions must be synchronous, depend
 * on nothing but their parameters, and keep no `tx`.
 */
export function mutation<T>(): <S = undefined>(options: MutationOptions<T, S>) => MutationOf<T, S>;
export function mutation<T, S = undefined>(options: MutationOptions<T, S>): MutationOf<T, S>;
export function mutation(options?: unknown): unknown {
  if (options === undefined) return (later: unknown) => () => later;
  return () => options;
}

/**
 * Arguments that are taken as they come: a type without a check. Whatever a client sends reaches
 * the mutation.
 */
export function unchecked<T>(): StandardSchemaV1<T, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'oxbow',
      // reason: "unchecked" says it.
      validate: (value) => ({ value: value as T }),
    },
  };
}
