/**
 * What the board tells a screen reader. It calls itself a table without having the rows of one:
 * its cards lie in a layer above. As groups and buttons it is read as what it is.
 */
const ROLES = '[role="table"], [role="rowgroup"], [role="row"], [role="cell"], '
  + '[role="columnheader"]';

function rename(host: Element): void {
  for (const element of host.querySelectorAll(ROLES)) {
    element.removeAttribute('role');
    for (const name of ['aria-colindex', 'aria-colspan', 'aria-label'])
      element.removeAttribute(name);
  }
  for (const card of host.querySelectorAll<HTMLElement>('.ec-event [data-booking-id]'))
    card.closest('.ec-event')?.setAttribute('aria-label', card.title);
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
