/**
 * The status page in one piece: no build step, nothing loaded from elsewhere, so that it works
 * where a cluster is in trouble.
 */
import { createHash } from 'node:crypto';
import { STATUS_SCRIPT } from './status-page-script.js';
import { STATUS_STYLE } from './status-page-style.js';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Oxbow</title>
<style>${STATUS_STYLE}</style>
</head>
<body>
<main>
<header><h1>Oxbow</h1><span id="cluster" class="mono soft"></span><span id="when" class="when" role="status"></span></header>
<form id="ask" hidden>
<p id="why"></p>
<label for="token">Admin token</label>
<input id="token" type="password" autocomplete="off" spellcheck="false">
<button>Show the cluster</button>
</form>
<div id="view" hidden>
<p id="summary" class="summary"></p>
<h2>Nodes</h2>
<div id="nodes" class="grid"></div>
<h2>Log: applied (strong) and chosen (pale), the newest slots</h2>
<div id="lanes" class="card"></div>
<h2>Who led, the last two minutes</h2>
<div id="leaders" class="card"></div>
<h2>Latency and load</h2>
<div id="charts" class="charts"></div>
</div>
</main>
<script>${STATUS_SCRIPT}</script>
</body>
</html>
`;

const SCRIPT_HASH = `sha256-${createHash('sha256').update(STATUS_SCRIPT).digest('base64')}`;

/** `scriptHash`: for the content security policy. */
export function statusPage(): { readonly text: string; readonly scriptHash: string } {
  return { text: PAGE, scriptHash: SCRIPT_HASH };
}
