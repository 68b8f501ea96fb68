/**
 * Keeps the focus on a booking. A card is drawn anew whenever its booking changes (it moves, it
 * becomes final), and what is removed takes the focus with it: whoever works by keyboard would
 * start again at the top of the page after every step.
 */

/** The id of the booking whose card the element is, or lies in. */
export const bookingOf = (element: Element | null): string | undefined =>
  element?.closest('.ec-event')?.querySelector<HTMLElement>('[data-booking-id]')?.dataset[
    'bookingId'
  ];

const isLost = (): boolean =>
  document.activeElement === null || document.activeElement === document.body;

/** Gives the focus to the booking's card once it is drawn, unless something else has it by then. */
export function focusBooking(id: string, done: () => void = () => undefined): void {
  requestAnimationFrame(() => {
    if (isLost()) {
      const card = document.querySelector(`[data-booking-id="${CSS.escape(id)}"]`);
      card?.closest<HTMLElement>('.ec-event')?.focus({ preventScroll: true });
    }
    done();
  });
}

/** Remembers who has the focus; what is answered gives it back, if it has got lost by then. */
export function rememberFocus(): () => void {
  const before = document.activeElement;
  const booking = bookingOf(before);
  return () =>
    void requestAnimationFrame(() => {
      if (!isLost()) return;
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      else if (booking !== undefined) focusBooking(booking);
    });
}
