/**
 * How the status page looks: one column on a phone, more where there is room; light and dark as the
 * reader's system is.
 */
export const STATUS_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #ffffff; --line: #dfe3e8; --text: #1b2430; --soft: #5c6875;
  --good: #12805c; --warn: #a15c00; --bad: #b3261e; --accent: #2457c5; --second: #b35c00;
  --fill: #2457c5; --fill-soft: #b9cbf2; --chart: #eef1f5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --card: #1b212a; --line: #303947; --text: #e7ebf0; --soft: #9aa7b6;
    --good: #4cc38a; --warn: #f0b155; --bad: #ff7b72; --accent: #7aa7ff; --second: #f0b155;
    --fill: #5b8def; --fill-soft: #2b4270; --chart: #151a21;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1240px; margin: 0 auto; padding: 20px 16px 40px; }
h1 { font-size: 20px; margin: 0; }
h2 { font-size: 13px; margin: 28px 0 10px; color: var(--soft); font-weight: 600; }
header { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; }
header .when { margin-left: auto; color: var(--soft); font-size: 13px; }
.soft { color: var(--soft); }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12.5px; }
.summary { font-size: 17px; margin: 8px 0 0; }
.summary.good { color: var(--good); }
.summary.warn { color: var(--warn); }
.summary.bad { color: var(--bad); }
.grid { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(270px, 100%), 1fr)); }
.charts { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; min-width: 0; }
.card.down { border-color: var(--bad); }
.card .top { display: flex; align-items: center; gap: 8px; }
.card .name { font-weight: 650; font-size: 17px; }
.card .id { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; margin: 2px 0 8px; }
.dot { width: 10px; height: 10px; border-radius: 50%; background: var(--good); flex: none; }
.down .dot { background: var(--bad); }
.badge { font-size: 12px; border: 1px solid var(--line); border-radius: 999px; padding: 1px 9px; color: var(--soft); }
.badge.leader { background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 600; }
.badge.self { margin-left: auto; border: 0; padding: 0; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 0; font-size: 13.5px; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.problem { color: var(--bad); font-size: 13px; margin: 8px 0 0; }
.lane { display: grid; grid-template-columns: 5.5em 1fr 11em; gap: 10px; align-items: center; padding: 4px 0; }
.lane .bar { position: relative; height: 14px; background: var(--chart); border-radius: 4px; overflow: hidden; }
.lane .bar i { position: absolute; inset: 0 auto 0 0; background: var(--fill-soft); transition: width .3s; }
.lane .bar i.applied { background: var(--fill); }
.lane .figures { text-align: right; font-size: 13px; font-variant-numeric: tabular-nums; color: var(--soft); }
.lane .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.strip { display: flex; height: 18px; border-radius: 4px; overflow: hidden; background: var(--chart); }
.strip i { flex: 1; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 12.5px; color: var(--soft); margin-top: 6px; }
.legend b { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 5px; }
.chart .title { display: flex; justify-content: space-between; gap: 8px; font-size: 13.5px; }
.chart .now { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; }
.chart svg { display: block; width: 100%; height: 84px; background: var(--chart); border-radius: 6px; margin-top: 8px; }
.chart .scale { display: flex; justify-content: space-between; font-size: 11.5px; color: var(--soft); margin-top: 3px; }
form { margin-top: 16px; max-width: 560px; }
input { font: inherit; width: 100%; padding: 8px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--text); }
button { font: inherit; margin-top: 10px; padding: 7px 16px; border: 0; border-radius: 8px; background: var(--accent); color: var(--card); cursor: pointer; }
[hidden] { display: none !important; }
@media (max-width: 560px) {
  .lane { grid-template-columns: 3.5em 1fr; }
  .lane .figures { grid-column: 2; text-align: left; }
  header .when { margin-left: 0; width: 100%; }
}
`;
