/** The hooks' types as a component meets them. Checked by tsc -p tsconfig.test.json. */
import { expectTypeOf } from 'vitest';
import type { FinalOutcome } from '../replica/conflict.js';
import type { Replica } from '../host/replica.js';
import type { Receipt } from '../host/receipt.js';
import type { Space } from '../host/space.js';
import type { shelfApp } from '../replica/testing/shelf-app.js';
import { useHealth, useLive, useReceipt, useSpace } from './index.js';

type Shelves = typeof shelfApp;

export function useTypes(replica: Promise<Replica<Shelves>>, receipt: Receipt | undefined): void {
  const space = useSpace(replica, 'room');
  expectTypeOf(space).toEqualTypeOf<Space<Shelves>>();
  expectTypeOf(useLive(space, (tx) => tx.item.all().length)).toEqualTypeOf<number>();
  const maybe: Space<Shelves> | undefined = receipt === undefined ? undefined : space;
  expectTypeOf(useLive(maybe, (tx) => tx.item.all().length, [])).toEqualTypeOf<number | undefined>();
  expectTypeOf(useReceipt(receipt)?.outcome).toExtend<FinalOutcome | undefined>();
  expectTypeOf(useHealth(space).csn).toEqualTypeOf<number>();
  expectTypeOf(useHealth(replica, ({ online }) => online)).toEqualTypeOf<boolean>();
  // @ts-expect-error a replica as a whole is at no place in an order
  useHealth(replica).csn satisfies number;
  // @ts-expect-error a table that the app does not have
  useLive(space, (tx) => tx.shelf.all(), []);
}
