/** A storage that has no room for anything more while it is told so. */
import { OxbowError } from '../../protocol/index.js';
import type { Done, Storage, Store } from '../storage.js';

type Shared = Storage & Required<Pick<Storage, 'share' | 'sharedName'>>;

export type Fillable = Shared & { isFull: boolean };

export function fillable(storage: Storage): Fillable {
  const { share, sharedName } = storage;
  if (share === undefined || sharedName === undefined) throw new Error('this driver cannot be shared');
  const fill = (done: Done<Store>): Done<Store> => (opened) => {
    if (!opened.ok) return done(opened);
    const store = opened.value;
    const write = store.write.bind(store);
    store.write = (ops, written, unless) => {
      if (!full.isFull) return write(ops, written, unless);
      queueMicrotask(() => written({ ok: false, error: new OxbowError('store-full', 'No room.') }));
    };
    done({ ok: true, value: store });
  };
  const full: Fillable = {
    isFull: false,
    sharedName,
    open: (done) => storage.open(fill(done)),
    share: (done) => share.call(storage, fill(done)),
  };
  return full;
}
