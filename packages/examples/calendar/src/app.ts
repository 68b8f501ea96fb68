/**
 * The calendar's app definition: the one module that every browser and the server load. Its
 * promise is the meeting room example of Terry et al., SOSP'95 §2: in the committed view no room
 * is ever booked twice. The author says beforehand what else would do (other times, other rooms),
 * in order; what fits none of them is refused with the booking that stood in the way.
 *
 * Nothing here touches a clock, the DOM or the network: each replica must compute the same from
 * the same.
 */
import { defineApp, mutation, reject, table, type CheckTx } from '@oxbow/sdk/model';
import {
  AddPersonArgs,
  AddRoomArgs,
  BookArgs,
  BookingRow,
  CancelArgs,
  EditArgs,
  MoveArgs,
  PersonRow,
  RoomRow,
} from './shapes.js';
import { LENGTH_MAX_MS, type BlockedBy, type Booking, type Slot } from './shapes.js';

const tables = {
  room: table({ schema: RoomRow, key: 'id' }),
  person: table({ schema: PersonRow, key: 'id' }),
  booking: table({
    schema: BookingRow,
    key: 'id',
    indexes: { byRoomStart: ['room', 'start'], byStart: ['start'], byPerson: ['by', 'start'] },
  }),
};

type Lookup = CheckTx<typeof tables>;

/**
 * The first booking of the room that overlaps [start, end), other than `self`. A booking is at
 * most LENGTH_MAX_MS long, so one that reaches into the slot starts no earlier than that before
 * it.
 */
function firstOverlap(tx: Lookup, slot: Slot, self?: string): Readonly<Booking> | undefined {
  const { room, start, end } = slot;
  const near = tx.booking.index('byRoomStart').between([room, start - LENGTH_MAX_MS], [room, end]);
  for (const other of near) {
    if (other.end > slot.start && other.id !== self) return other;
  }
  return undefined;
}

const isOpen = (tx: Lookup, slot: Slot, self?: string): boolean =>
  tx.room.has(slot.room) && firstOverlap(tx, slot, self) === undefined;

/**
 * Why none of the wishes fitted: said of the first wish, the one that the author cares for most.
 */
function refuse(tx: Lookup, slot: Slot, self?: string) {
  if (!tx.room.has(slot.room)) return reject('room-unknown', { room: slot.room });
  const by = firstOverlap(tx, slot, self);
  if (by === undefined) return reject('slot-refused', { room: slot.room });
  const { id, title, room, start, end } = by;
  const detail: BlockedBy = { id, title, room, start, end, by: by.by };
  return reject('room-taken', detail);
}

export const calendar = defineApp({
  name: 'calendar',
  version: 1,
  tables,
  mutations: {
    /**
     * Adding what is there already changes nothing: two browsers that both add the starter set
     * meet in one.
     */
    addRoom: mutation({
      args: AddRoomArgs,
      apply: (tx, a) => {
        if (!tx.room.has(a.id)) tx.room.put(a);
      },
    }),

    addPerson: mutation({
      args: AddPersonArgs,
      apply: (tx, a) => {
        if (!tx.person.has(a.id)) tx.person.put(a);
      },
      server: { authorize: (tx, a) => tx.user === a.id },
    }),

    book: mutation({
      args: BookArgs,
      check: (tx, a) => !tx.booking.has(a.id) && isOpen(tx, a),
      apply: (tx, { orElse: _, ...booking }) => {
        tx.booking.put({ ...booking, createdAt: tx.now });
      },
      alternatives: (a) => a.orElse.map((wish) => ({ ...a, ...wish, orElse: [] })),
      merge: (tx, a) =>
        tx.booking.has(a.id) ? reject('booking-exists', { id: a.id }) : refuse(tx, a),
      inverse: (a) => ({ name: 'cancel', args: { id: a.id } }),
      // Nobody books in another's name. Only the server knows for certain who asks.
      server: { authorize: (tx, a) => tx.user === a.by },
    }),

    /**
     * Another room, another time, another length: as strict as a new booking, and with wishes
     * like one.
     */
    move: mutation({
      args: MoveArgs,
      check: (tx, a) => tx.booking.has(a.id) && isOpen(tx, a, a.id),
      apply: (tx, { id, room, start, end }) => {
        tx.booking.update(id, { room, start, end });
      },
      alternatives: (a) => a.orElse.map((wish) => ({ ...a, ...wish, orElse: [] })),
      merge: (tx, a) =>
        tx.booking.has(a.id) ? refuse(tx, a, a.id) : reject('booking-gone', { id: a.id }),
      inverse: ({ id }, { before }) => {
        const was = before.booking.get(id);
        if (was === undefined) return undefined;
        const { room, start, end } = was;
        return { name: 'move', args: { id, room, start, end, orElse: [] } };
      },
    }),

    edit: mutation({
      args: EditArgs,
      check: (tx, a) => tx.booking.has(a.id),
      apply: (tx, { id, ...patch }) => {
        tx.booking.update(id, patch);
      },
      merge: (_tx, a) => reject('booking-gone', { id: a.id }),
      inverse: ({ id }, { before }) => {
        const was = before.booking.get(id);
        return was && { name: 'edit', args: { id, title: was.title, notes: was.notes } };
      },
    }),

    /** What another has cancelled meanwhile is cancelled: nothing to tell the author. */
    cancel: mutation({
      args: CancelArgs,
      apply: (tx, a) => {
        if (tx.booking.has(a.id)) tx.booking.delete(a.id);
      },
      /** Only who had booked it can book it again. */
      inverse: ({ id }, { before }) => {
        const was = before.booking.get(id);
        return was && { name: 'book', args: BookArgs.parse({ ...was, orElse: [] }) };
      },
    }),
  },
});

export default calendar;
