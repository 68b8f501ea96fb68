/** What the simulated people do. */
import type { SpaceReplica } from '../../packages/sdk/src/replica/space.js';
import type { ReadTx } from '@oxbow/sdk/model';
import { HOURS, type app, type Booking } from './app.js';
import type { Random } from './random.js';
import type { Swarm } from './swarm.js';

export interface Drawn {
  readonly name: string;
  readonly args: unknown;
}

/**
 * `wish` makes the arguments unlike all others: the checkers see by it whether something was done
 * twice.
 */
export function drawMutation(random: Random, space: SpaceReplica<typeof app>, swarm: Swarm): Drawn {
  const isPin = swarm.app.pins > 0 && random.chance(swarm.app.pins);
  const { name, args } = isPin ? drawPin(random, space) : drawWish(random, space, swarm);
  return { name, args: { ...inForm(space, args), wish: random.uint32() } };
}

/** Version 2 of the app says `amount`. */
function inForm(space: SpaceReplica<typeof app>, args: object): object {
  if (space.insides.state.runner.app.version === 1 || !('by' in args)) return args;
  const { by: amount, ...others } = args;
  return { ...others, amount };
}

const MANY_COUNTERS = Array.from({ length: 12 }, (_, i) => `c${i}`).concat('x', 'y');

function drawPin(
  random: Random, space: SpaceReplica<typeof app>,
): { readonly name: string; readonly args: object } {
  const booking = anyBooking(random, space)?.id ?? 'none';
  const id = `p${random.uint32().toString(36)}`;
  return { name: random.pick(['pin', 'pin', 'pinOrAsk', 'pinAnyhow']), args: { id, booking } };
}

function drawWish(
  random: Random, space: SpaceReplica<typeof app>, swarm: Swarm,
): { readonly name: string; readonly args: object } {
  const id = `b${random.uint32().toString(36)}`;
  const slot = (): { room: string; hour: number } => ({
    room: random.pick(swarm.rooms), hour: random.int(0, HOURS),
  });
  const { upgradeAtMs, changed } = swarm.app;
  const kind = changed > 0 && random.chance(changed) ? 5 : random.int(0, 10);
  if (kind < 3) {
    const orElse = Array.from({ length: random.int(0, 3) }, slot);
    return { name: 'book', args: { id, ...slot(), title: `by ${id}`, orElse } };
  }
  if (kind < 5) return { name: 'firstFree', args: { id, room: random.pick(swarm.rooms) } };
  if (kind === 5) {
    // Many rows take several commits to be lifted.
    const ids = upgradeAtMs === Infinity ? ['x', 'y'] : MANY_COUNTERS;
    return { name: 'add', args: { id: random.pick(ids), by: random.int(1, 5) } };
  }
  if (kind === 6) return { name: 'brittle', args: { id: random.pick(['x', 'y']) } };
  const booking = anyBooking(random, space);
  if (booking === undefined) return { name: 'add', args: { id: 'x', by: 1 } };
  if (kind === 7) return { name: 'move', args: { id: booking.id, ...slot() } };
  return { name: 'cancel', args: { id: booking.id } };
}

function anyBooking(random: Random, space: SpaceReplica<typeof app>): Booking | undefined {
  const bookings: readonly Booking[] = space.query((tx: ReadTx<typeof app>) => tx.booking.all());
  return bookings.length === 0 ? undefined : random.pick(bookings);
}
