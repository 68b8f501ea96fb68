/**
 * The calendar's page. `?space=` names the space (default team-42), `?server=` the sync server
 * (default: port 8787 of the host that served the page). README.md lists what tests hold on to.
 */
import '@event-calendar/core/index.css';
import { createRoot } from 'react-dom/client';
import { openSession } from './session/open.js';
import './styles.css';
import { Root } from './view/Root.js';

const address = new URL(location.href);
const space = address.searchParams.get('space') ?? 'team-42';

function serverUrl(): string {
  const given = address.searchParams.get('server');
  if (given !== null) return given;
  return `${address.protocol === 'https:' ? 'wss' : 'ws'}://${address.hostname}:8787/sync`;
}

const host = document.getElementById('root');
if (host === null) throw new Error('The page has no element #root.');
const open = (me: string) => openSession({ space, me, serverUrl: serverUrl() });
createRoot(host).render(<Root space={space} open={open} />);
