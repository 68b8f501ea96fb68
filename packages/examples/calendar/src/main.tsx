/**
 * The calendar's page. `?space=` names the space (default team-42), `?server=` the sync server, or
 * each node of a cluster, separated by commas. Default: what whoever serves the page names
 * (serve.mjs --server), else port 8787 of its host. README.md lists what tests hold on to.
 */
import '@event-calendar/core/index.css';
import { createRoot } from 'react-dom/client';
import { addressOf } from './installed/address.js';
import { keepPage } from './installed/update.js';
import { openSession } from './session/open.js';
import { serverUrls } from './session/server-urls.js';
import './styles.css';
import { shownZone } from './time/shown-zone.js';
import { Root } from './view/Root.js';

const address = addressOf(new URL(location.href), () => localStorage);
const named = document.querySelector<HTMLMetaElement>('meta[name="sync-servers"]')?.content;
const space = address.searchParams.get('space') || 'team-42';

const host = document.getElementById('root');
if (host === null) throw new Error('The page has no element #root.');
const zone = shownZone(() => localStorage);
const urls = serverUrls(address, named);
const open = (me: string) => openSession({ space, me, serverUrls: urls, clock: zone });
const update = keepPage();
createRoot(host).render(<Root space={space} open={open} zone={zone} update={update} />);
