/** The panel's own sheet: light and dark by what the page's `color-scheme` says. */
export const styles = `
:host { display: block; min-height: 0; height: 100%; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.panel {
  --paper: light-dark(#ffffff, #181c1f); --wash: light-dark(#f4f4f1, #21272b);
  --line: light-dark(#dcdad3, #363d41); --ink: light-dark(#1f2528, #e8e9e5);
  --soft: light-dark(#566065, #a7b0b3); --accent: light-dark(#0f6b62, #62c7ba);
  --good: light-dark(#1d6b3f, #7fcf9f); --warn: light-dark(#7d5106, #e6b965); --bad: light-dark(#a12f2b, #f29b93);
  display: flex; flex-direction: column; height: 100%; min-height: 0;
  background: var(--paper); color: var(--ink); border-top: 1px solid var(--line);
  font: 13px/1.5 ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
}
.docked { position: fixed; inset: auto 0 0 0; height: min(46vh, 480px); z-index: 2147483000; box-shadow: 0 -6px 24px rgb(0 0 0 / .18); }
header { display: flex; align-items: center; gap: .4rem .8rem; padding: .25rem .7rem 0; border-bottom: 1px solid var(--line); background: var(--wash); flex: none; }
h2 { margin: 0; font-size: 13px; font-weight: 650; }
[role=tablist] { display: flex; gap: .1rem; flex: 1; min-width: 0; overflow-x: auto; scrollbar-width: none; }
[role=tab] { border: 0; border-bottom: 2px solid transparent; border-radius: 0; background: none; color: var(--soft); padding: .45rem .6rem; white-space: nowrap; }
[role=tab][aria-selected=true] { color: var(--ink); border-bottom-color: var(--accent); font-weight: 600; }
button, select, input { font: inherit; color: inherit; }
button, select, input[type=search] { min-height: 28px; border: 1px solid var(--line); border-radius: 6px; background: var(--paper); padding: .1rem .55rem; }
button { cursor: pointer; }
button:hover, summary:hover { background: color-mix(in oklab, var(--accent) 10%, var(--paper)); }
.close { border: 0; background: none; flex: none; min-width: 28px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.content { flex: 1; min-height: 0; overflow: auto; }
.tools { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .6rem; padding: .4rem .7rem; background: var(--paper); border-bottom: 1px solid var(--line); }
.pad .tools { position: static; padding: .6rem 0; border: 0; }
.pick { color: var(--soft); white-space: nowrap; }
.pick select { color: var(--ink); max-width: 12rem; }
.tools input[type=search] { flex: 1 1 10rem; max-width: 22rem; }
.tools input[type=range] { flex: 1 1 8rem; max-width: 26rem; accent-color: var(--accent); }
.count, .csn { margin: 0; color: var(--soft); font-variant-numeric: tabular-nums; white-space: normal; }
.csn { color: var(--ink); font-weight: 600; }
.pad { padding: .5rem .7rem; }
.entry { border-bottom: 1px solid var(--line); }
.entry p { margin: 0 0 .3rem; }
.none { color: var(--soft); padding: 1.2rem .7rem; margin: 0; text-align: center; }
details { border-bottom: 1px solid var(--line); }
summary { display: flex; align-items: center; gap: .5rem; padding: .28rem .7rem; cursor: pointer; list-style: none; min-width: 0; }
summary::-webkit-details-marker { display: none; }
summary::before { content: '▸'; color: var(--soft); flex: none; width: .8em; }
details[open] > summary { background: var(--wash); }
details[open] > summary::before { content: '▾'; }
summary b { font-weight: 600; white-space: nowrap; }
summary > .soft { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
summary time { margin-left: auto; color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.soft { color: var(--soft); }
.cut { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-family: ui-monospace, monospace; font-size: 12px; }
.chip { flex: none; border: 1px solid currentColor; border-radius: 99px; padding: 0 .5em; font-size: 11.5px; line-height: 1.55; color: var(--soft); white-space: nowrap; }
.chip[data-kind=applied], .chip[data-kind=live] { color: var(--good); }
.chip:is([data-kind=local], [data-kind=saved], [data-kind=shared], [data-kind=held], [data-kind=alternative], [data-kind=merged],
  [data-kind=waiting], [data-kind=connecting], [data-kind=resuming], [data-kind=changed], [data-kind=added], [data-kind=step], [data-kind=unknown]) { color: var(--warn); }
.chip:is([data-kind=rejected], [data-kind=refused], [data-kind=deleted], [data-kind=offline]) { color: var(--bad); }
.body { padding: .4rem .7rem .7rem 2rem; }
.body ul { margin: .2rem 0; padding-left: 1.1rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem .9rem; margin: 0 0 .5rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; white-space: nowrap; }
th, td { text-align: left; vertical-align: top; font-weight: 400; padding: .18rem .8rem .18rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--soft); white-space: nowrap; }
td, code { font-family: ui-monospace, monospace; font-size: 12px; }
td { min-width: 5rem; }
mark { background: color-mix(in oklab, var(--warn) 24%, var(--paper)); color: inherit; border-radius: 3px; padding: 0 .2em; }
@media (max-width: 700px) {
  header { flex-wrap: wrap; }
  header [role=tablist] { order: 3; flex-basis: 100%; }
  .close { margin-left: auto; min-width: 40px; min-height: 40px; }
  .docked { height: 62vh; }
  summary { padding-block: .45rem; gap: .15rem .5rem; }
  summary:has(> .cut) { flex-wrap: wrap; }
  summary b { max-width: calc(100% - 8rem); overflow: hidden; text-overflow: ellipsis; }
  summary .cut { flex-basis: 100%; padding-left: 1.3em; }
  .body { padding-left: .9rem; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .25rem; }
}
`;
