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

const cardOf = (id: string): HTMLElement | null =>
  document.querySelector<HTMLElement>(`.board [data-booking-id="${CSS.escape(id)}"]`);

const isLost = (): boolean =>
  document.activeElement === null || document.activeElement === document.body;

/** Gives the focus to the booking's card once it is drawn, unless something else has it by then. */
export function focusBooking(id: string, done: () => void = () => undefined): void {
  requestAnimationFrame(() => {
    if (isLost()) {
      cardOf(id)?.focus({ preventScroll: true });
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

/** A board that has to be drawn first takes some frames; one that does not come is given up. */
const FRAMES_MAX = 120;

/** Goes to the booking's card as soon as it is drawn: in sight, with the focus, marked a while. */
export function goToBooking(id: string, frame = 0): void {
  requestAnimationFrame(() => {
    const card = cardOf(id);
    // A dialog that is still open would take the focus back.
    const isReady = card !== null && document.querySelector('dialog[open]') === null;
    if (!isReady) {
      if (frame < FRAMES_MAX) goToBooking(id, frame + 1);
      return;
    }
    card.scrollIntoView({ block: 'center', inline: 'nearest' });
    card.focus({ preventScroll: true });
    card.classList.add('is-found');
  });
}
