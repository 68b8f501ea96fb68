/**
 * What the status page does: asks its node once a second and draws. All text goes in as text, never
 * as markup: names and messages come from other machines.
 */
export const STATUS_SCRIPT = String.raw`
'use strict';
const POLL_MS = 1000, KEPT = 120, COLORS = ['#3b76e1', '#d97706', '#0e9f6e', '#c2417c', '#7c5cd6', '#0891b2', '#a16207'];
const find = (id) => document.getElementById(id);
const make = (tag, look, text) => {
  const made = document.createElement(tag);
  if (look) made.className = look;
  if (text !== undefined) made.textContent = text;
  return made;
};
const samples = [];
const leaders = [];
let token = sessionStorage.getItem('oxbow-admin') || '';
/** A link may bring the token behind the hash, where no server sees it; nor shall who looks over a shoulder. */
function takeToken() {
  if (!location.hash.startsWith('#token=')) return false;
  token = decodeURIComponent(location.hash.slice(7));
  sessionStorage.setItem('oxbow-admin', token);
  history.replaceState(null, '', location.pathname);
  return true;
}
takeToken();

const number = (value) => (value === undefined ? '–' : Math.round(value).toLocaleString('en'));
const ms = (value) => (value === undefined ? '–' : value < 10 ? value.toFixed(2) + ' ms' : value.toFixed(0) + ' ms');
const offset = (value) => (value === undefined ? '–' : (value >= 0 ? '+' : '−') + Math.abs(value).toFixed(0) + ' ms');

function colorOf(name, names) {
  return name === undefined ? 'transparent' : COLORS[Math.max(0, names.indexOf(name)) % COLORS.length];
}

function summaryOf(status) {
  if (status.advice && status.standing !== 'member') return ['warn', status.advice.message];
  if (status.voters === 0) return ['warn', 'This node is starting.'];
  const there = status.votersUp + ' of ' + status.voters + (status.voters === 1 ? ' voter is' : ' voters are') + ' there';
  if (status.survives < 0) return ['bad', there + ': nothing can be committed until ' + -status.survives + ' more come back.'];
  if (status.leader === undefined) return ['warn', there + '; a leader is being elected.'];
  if (status.voters === 1) return ['good', status.leader + ' leads alone: the group is one node.'];
  if (status.survives === 0) return ['warn', there + ', ' + status.leader + ' leads. The next failure stops the service.'];
  return ['good', there + ', ' + status.leader + ' leads. The group survives ' + status.survives + ' more failing.'];
}

function facts(pairs) {
  const list = make('dl');
  for (const [name, value] of pairs) {
    list.append(make('dt', '', name), make('dd', '', value));
  }
  return list;
}

function nodeCard(node, status) {
  const card = make('article', 'card' + (node.isUp ? '' : ' down'));
  const top = make('div', 'top');
  top.append(make('span', 'dot'), make('span', 'name', node.name), make('span', 'badge ' + node.role, node.role));
  if (node.isSelf) top.append(make('span', 'badge self', 'this node'));
  card.append(top, make('div', 'id mono soft', node.id || 'not seen'));
  card.append(facts([
    ['chosen', number(node.chosenSlot)],
    ['applied', number(node.appliedSlot)],
    ['behind', node.lagSlots === undefined ? '–' : number(node.lagSlots) + (node.lagSlots === 1 ? ' slot' : ' slots')],
    ['last sync', ms(node.fsyncMs)],
    ['round trip', node.isSelf ? '–' : ms(node.roundTripMs)],
    ['loop late', ms(node.loopLagMs)],
    ['clock', node.isSelf ? '–' : offset(node.clockOffsetMs)],
    ['version', node.version || '–'],
  ]));
  if (!node.isUp) {
    const why = node.problem ? node.problem.code + ': ' + node.problem.message : 'no link';
    card.append(make('p', 'problem', why));
  }
  return card;
}

function lanes(status) {
  const known = status.nodes.filter((node) => node.chosenSlot !== undefined);
  const last = Math.max(1, ...known.map((node) => node.chosenSlot));
  const reach = Math.max(100, ...known.map((node) => (node.lagSlots || 0) * 1.25));
  const share = (slot) => Math.max(0, Math.min(100, 100 * (1 - (last - slot) / reach)));
  return known.map((node) => {
    const lane = make('div', 'lane');
    const bar = make('div', 'bar');
    for (const [look, slot] of [['', node.chosenSlot], ['applied', node.appliedSlot]]) {
      const piece = make('i', look);
      piece.style.width = share(slot) + '%';
      bar.append(piece);
    }
    const figures = number(node.appliedSlot) + ' of ' + number(node.chosenSlot);
    lane.append(make('span', 'label', node.name), bar, make('span', 'figures', figures));
    return lane;
  });
}

function strip(names) {
  const line = make('div', 'strip');
  for (let i = 0; i < KEPT; i++) {
    const piece = make('i');
    piece.style.background = colorOf(leaders[leaders.length - KEPT + i], names);
    line.append(piece);
  }
  return line;
}

function legend(entries) {
  const list = make('div', 'legend');
  for (const [name, color] of entries) {
    const entry = make('span');
    const mark = make('b');
    mark.style.background = color;
    entry.append(mark, name);
    list.append(entry);
  }
  return list;
}

function svg(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const name of Object.keys(attributes)) made.setAttribute(name, attributes[name]);
  return made;
}

function chart(title, unit, series) {
  const card = make('article', 'card chart');
  const values = series.flatMap((one) => one.values).filter((value) => value !== undefined);
  const top = niceAbove(Math.max(0, ...values));
  const head = make('div', 'title');
  const latest = series.map((one) => format(one.values[one.values.length - 1], unit)).join(' / ');
  head.append(make('span', '', title), make('span', 'now', latest));
  const picture = svg('svg', { viewBox: '0 0 ' + (KEPT - 1) + ' 100', preserveAspectRatio: 'none', role: 'img' });
  picture.setAttribute('aria-label', title + ': ' + latest);
  for (const y of [25, 50, 75]) {
    picture.append(svg('line', { x1: 0, x2: KEPT, y1: y, y2: y, stroke: 'currentColor', opacity: 0.1, 'vector-effect': 'non-scaling-stroke' }));
  }
  for (const one of series) {
    for (const points of runs(one.values, top)) {
      picture.append(svg('polyline', {
        points, fill: 'none', stroke: one.color, 'stroke-width': 1.6, 'vector-effect': 'non-scaling-stroke', 'stroke-linejoin': 'round',
      }));
    }
  }
  const scale = make('div', 'scale');
  scale.append(make('span', '', KEPT + ' s ago'), make('span', '', 'top: ' + format(top, unit)));
  card.append(head, picture, scale);
  if (series.length > 1) card.append(legend(series.map((one) => [one.name, one.color])));
  return card;
}

/** Lines end where nothing is known. */
function runs(values, top) {
  const found = [];
  let points = [];
  const first = KEPT - values.length;
  values.forEach((value, i) => {
    if (value === undefined) {
      if (points.length > 1) found.push(points.join(' '));
      points = [];
    } else points.push((first + i) + ',' + (97 - 94 * (top === 0 ? 0 : value / top)).toFixed(2));
  });
  if (points.length > 1) found.push(points.join(' '));
  return found;
}

function niceAbove(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function format(value, unit) {
  if (value === undefined) return '–';
  return (value >= 100 || value === 0 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(2))) + (unit ? ' ' + unit : '');
}

function remember(status, atMs) {
  const previous = samples[samples.length - 1];
  const own = status.nodes.find((node) => node.isSelf) || {};
  const seconds = previous ? (atMs - previous.atMs) / 1000 : 0;
  const rate = (now, then) => (seconds > 0 && now >= then ? (now - then) / seconds : undefined);
  samples.push({
    atMs, slot: own.chosenSlot, commits: status.commits,
    slotRate: previous && rate(own.chosenSlot, previous.slot),
    commitRate: status.isLeading && previous ? rate(status.commits, previous.commits) : undefined,
    fsync: status.fsync, commit: status.commit, isLeading: status.isLeading,
    lags: new Map(status.nodes.map((node) => [node.name, node.lagSlots])),
  });
  leaders.push(status.leader);
  while (samples.length > KEPT) samples.shift();
  while (leaders.length > KEPT) leaders.shift();
}

function draw(status) {
  const names = status.nodes.map((node) => node.name);
  const [look, text] = summaryOf(status);
  document.title = 'Oxbow: ' + (status.leader ? status.leader + ' leads' : 'no leader');
  find('summary').className = 'summary ' + look;
  find('summary').textContent = text;
  find('cluster').textContent = status.cluster ? 'cluster ' + status.cluster : 'no cluster yet';
  find('nodes').replaceChildren(...status.nodes.map((node) => nodeCard(node, status)));
  find('lanes').replaceChildren(...lanes(status));
  find('leaders').replaceChildren(strip(names), legend(names.map((name) => [name, colorOf(name, names)])));
  const values = (pick) => samples.map(pick);
  find('charts').replaceChildren(
    chart('Slots chosen', '/s', [{ name: 'slots', color: COLORS[0], values: values((one) => one.slotRate) }]),
    chart('Updates committed here', '/s', [{ name: 'updates', color: COLORS[2], values: values((one) => one.commitRate) }]),
    chart('Commit: median / 99th', 'ms', [
      { name: 'median', color: COLORS[0], values: values((one) => (one.commit.count && one.isLeading ? one.commit.p50 : undefined)) },
      { name: '99th percentile', color: COLORS[1], values: values((one) => (one.commit.count && one.isLeading ? one.commit.p99 : undefined)) },
    ]),
    chart('Sync of the log: median / 99th', 'ms', [
      { name: 'median', color: COLORS[0], values: values((one) => (one.fsync.count ? one.fsync.p50 : undefined)) },
      { name: '99th percentile', color: COLORS[1], values: values((one) => (one.fsync.count ? one.fsync.p99 : undefined)) },
    ]),
    chart('Slots behind', '', names.map((name) => ({
      name, color: colorOf(name, names), values: values((one) => one.lags.get(name)),
    }))),
  );
}

async function poll() {
  isPolling = true;
  try {
    const answer = await fetch('cluster/status', { headers: { Authorization: 'Bearer ' + token }, cache: 'no-store' });
    if (answer.status === 401 || answer.status === 403) return ask(await answer.json());
    const status = await answer.json();
    find('ask').hidden = true;
    find('view').hidden = false;
    remember(status, performance.now());
    draw(status);
    find('when').textContent = 'seen from ' + status.node + ', ' + new Date().toLocaleTimeString();
  } catch {
    find('when').textContent = 'This node does not answer; trying again.';
    leaders.push(undefined);
  }
  setTimeout(poll, POLL_MS);
}

function ask(why) {
  isPolling = false;
  find('view').hidden = true;
  find('ask').hidden = false;
  find('why').textContent = why.message;
  find('token').disabled = why.code === 'admin-disabled';
}

let isPolling = false;
const resume = () => {
  if (!isPolling) poll();
};
addEventListener('hashchange', () => takeToken() && resume());
find('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  token = find('token').value.trim();
  sessionStorage.setItem('oxbow-admin', token);
  resume();
});
poll();
`;
