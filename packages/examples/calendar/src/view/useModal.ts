/**
 * Opens the dialog that the component draws, as a modal one: the platform keeps the focus in and
 * closes on Escape. React's own `autoFocus` comes too early, before the dialog is open.
 */
import { useEffect, useRef } from 'react';
import { rememberFocus } from './focus.js';

/** On a telephone a focused field brings up the keyboard, which hides half of the dialog. */
const isTouched = (): boolean => matchMedia('(pointer: coarse)').matches;

/** The field that is marked with `data-first` gets the focus. */
export function useModal() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const giveBack = rememberFocus();
    if (dialog.current?.open === false) dialog.current.showModal();
    if (!isTouched()) dialog.current?.querySelector<HTMLElement>('[data-first]')?.focus();
    return giveBack;
  }, []);
  return dialog;
}
