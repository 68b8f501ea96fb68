/**
 * What the board tells a screen reader. It calls itself a table without having the rows of one, as
 * its bookings lie in a layer above; and an article a button, which is not allowed. Without those
 * it is read as what it is: headings, and a button in each card (card.ts).
 */
const ROLES = '[role="table"], [role="rowgroup"], [role="row"], [role="cell"], '
  + '[role="columnheader"]';

function rename(host: Element): void {
  for (const element of host.querySelectorAll(ROLES)) {
    element.removeAttribute('role');
    for (const name of ['aria-colindex', 'aria-colspan', 'aria-label'])
      element.removeAttribute(name);
  }
  for (const event of host.querySelectorAll('.ec-event')) {
    event.removeAttribute('role');
    event.removeAttribute('tabindex');
  }
  // What scrolls must be reachable without a pointer.
  host.querySelector('.ec-main')?.setAttribute('tabindex', '0');
}

/** Keeps at it as the board draws itself anew; returns the way to stop. */
export function nameBoard(host: Element): () => void {
  rename(host);
  const observer = new MutationObserver(() => rename(host));
  observer.observe(host, { childList: true, subtree: true });
  return () => observer.disconnect();
}
