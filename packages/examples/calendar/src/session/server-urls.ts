/** Where the page syncs: the nodes of one service. */

/**
 * `?server=` of the page's own address (repeated, or with commas), else what the page's server has
 * named, else port 8787 of the page's host.
 */
export function serverUrls(page: URL, named: string | undefined): readonly string[] {
  const given = [...page.searchParams.getAll('server').flatMap(listed)];
  if (given.length > 0) return given;
  const configured = listed(named ?? '');
  if (configured.length > 0) return configured;
  return [`${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.hostname}:8787/sync`];
}

const listed = (text: string): string[] =>
  text.split(',').map((url) => url.trim()).filter((url) => url !== '');
