/** A modal dialog: heading, a way to close it, and a form where there is something to submit. */
import { useId, type FormEvent, type ReactNode } from 'react';
import { Icon } from './icons.js';
import { useModal } from './useModal.js';

export interface DialogProps {
  readonly title: string;
  readonly small?: boolean;
  readonly testId: string;
  readonly children: ReactNode;
  onClose(): void;
  onSubmit(): void;
}

/** `noValidate`: what is wrong is said in the form's own words, not by the browser's bubbles. */
export function Dialog({ title, small = false, testId, children, onClose, onSubmit }: DialogProps) {
  const heading = useId();
  const dialog = useModal();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <dialog
      ref={dialog}
      className={small ? 'dialog is-small' : 'dialog'}
      aria-labelledby={heading}
      onCancel={onClose}
      onClose={onClose}
      data-testid={testId}
    >
      <form onSubmit={submit} noValidate>
        <header className="dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="quiet" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </form>
    </dialog>
  );
}
