/** `useReceipt`: how far an own update has come. */
import { useMemo } from 'react';
import type { Receipt } from '../host/receipt.js';
import { NOTHING, storeOf, type Store } from './store.js';
import { useStore } from './use-store.js';

/** A receipt as it stands in one render: a receipt itself changes under its reader. */
export type ReceiptState = Readonly<Pick<Receipt, 'id' | 'stage' | 'outcome'>>;

/**
 * Stage and outcome of a receipt, rendered again as they change. Undefined without one, so that
 * the receipt of a form that was not sent yet needs no branch.
 *
 * @example
 * const [sent, setSent] = useState<Receipt>();
 * const state = useReceipt(sent); // sent by onClick={() => setSent(team.mutate.book(args))}
 * if (state?.stage === 'committed' && state.outcome.kind === 'rejected') return <Refused />;
 */
export function useReceipt(receipt: Receipt): ReceiptState;
export function useReceipt(receipt: Receipt | undefined): ReceiptState | undefined;
export function useReceipt(receipt: Receipt | undefined): ReceiptState | undefined {
  const store = useMemo(
    (): Store<ReceiptState | undefined> => (receipt === undefined ? NOTHING : storeOf(
      () => ({ id: receipt.id, stage: receipt.stage, outcome: receipt.outcome }),
      (fn) => receipt.subscribe(fn),
    )),
    [receipt],
  );
  return useStore(store);
}
