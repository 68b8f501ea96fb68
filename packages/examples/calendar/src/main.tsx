/**
 * The calendar's page. `?space=` names the space (default team-42), `?server=` the sync server, or
 * each node of a cluster, separated by commas. Default: what whoever serves the page names
 * (serve.mjs --server), else port 8787 of its host. README.md lists what tests hold on to.
 */
import '@event-calendar/core/index.css';
import { createRoot } from 'react-dom/client';
import { keepPage } from './keep-page.js';
import { openSession } from './session/open.js';
import { serverUrls } from './session/server-urls.js';
import './styles.css';
import { Root } from './view/Root.js';

const address = new URL(location.href);
const named = document.querySelector<HTMLMetaElement>('meta[name="sync-servers"]')?.content;
const space = address.searchParams.get('space') || 'team-42';

const host = document.getElementById('root');
if (host === null) throw new Error('The page has no element #root.');
const open = (me: string) => openSession({ space, me, serverUrls: serverUrls(address, named) });
keepPage();
createRoot(host).render(<Root space={space} open={open} />);
