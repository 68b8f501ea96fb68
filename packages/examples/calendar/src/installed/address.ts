/**
 * Which calendar the installed app opens. Its icon leads to one fixed address (manifest), which
 * cannot know the space that was open when it was installed: the last one is remembered.
 */
const KEY = 'oxbow-calendar.address';
/** What the manifest's `start_url` says. */
const FROM_ICON = 'app';

/** The address that counts: that of the page, or for the app's icon the last one. */
export function addressOf(page: URL, store: () => Storage): URL {
  const remembered = attempt(() => store().getItem(KEY));
  if (!page.searchParams.has(FROM_ICON) || page.searchParams.has('space') || !remembered) {
    attempt(() => store().setItem(KEY, page.search));
    return page;
  }
  const address = new URL(page);
  address.search = remembered;
  return address;
}

/** A browser that keeps nothing throws at the mere look at its storage. */
function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}
