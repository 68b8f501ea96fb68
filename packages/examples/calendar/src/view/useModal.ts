/**
 * Opens the dialog that the component draws, as a modal one: the platform keeps the focus in and
 * closes on Escape.
 */
import { useEffect, useRef } from 'react';

export function useModal() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  return dialog;
}
