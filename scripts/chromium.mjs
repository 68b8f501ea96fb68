// Finds Chromium for the browser tests; on Debian as root it is installed when it is missing.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The path of a Chromium, or undefined. Says loudly what a missing one leaves out. */
export function ensureChromium() {
  const given = process.env.OXBOW_CHROMIUM;
  if (given !== undefined && existsSync(given)) return given;
  const found = PLACES.find((path) => existsSync(path)) ?? installed();
  if (found === undefined) {
    console.error('\n*** No Chromium: the browser tests are LEFT OUT. Install it, or set OXBOW_CHROMIUM to its path. ***\n');
  }
  return found;
}

function installed() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  console.error('Installing Chromium (apt-get) …');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 'ignore', 2] });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { env, stdio: ['ignore', 'ignore', 2] });
  return PLACES.find((path) => existsSync(path));
}
