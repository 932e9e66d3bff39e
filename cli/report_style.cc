// The report's style sheet. Colours are variables, so that the charts follow light and dark too.
#include <string_view>

#include "cli/report.h"

namespace keratin::cli {

std::string_view report_style() {
  return R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #1c2430; --muted: #5d6878; --rule: #dde2ea; --grid: #e9edf2;
  --first: #1f5fc4; --second: #c2570c; --bar: #d6e4fb; --good: #18794e; --bad: #b42318;
  --c0: #1f5fc4; --c1: #c2570c; --c2: #18794e; --c3: #8e3fb0; --c4: #b3256b; --c5: #0e7490;
  --heat: 31, 95, 196; --miss: 194, 87, 12;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --card: #191f28; --text: #e6eaf0; --muted: #97a3b4; --rule: #2c3542; --grid: #252d39;
    --first: #7db0ff; --second: #ffab5e; --bar: #23406b; --good: #5fd39a; --bad: #ff8a7d;
    --c0: #7db0ff; --c1: #ffab5e; --c2: #5fd39a; --c3: #cf9bf0; --c4: #ff8fc0; --c5: #5fd0e6;
    --heat: 125, 176, 255; --miss: 255, 171, 94;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 3rem 0 .4rem; }
h3 { font-size: 1rem; margin: 0; }
h3.apart { margin-top: 1.8rem; }
p { margin: .3rem 0 1rem; max-width: 72ch; }
.muted, caption, figcaption { color: var(--muted); }
nav { margin: 1rem 0 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
a { color: var(--first); }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
.facts div { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: .8rem 1rem; }
.facts b { display: block; font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.facts span { color: var(--muted); font-size: .875rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .8rem 1rem 0; font-size: .875rem; }
th, td { padding: .42rem .8rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--grid); }
thead th { border-top: 0; color: var(--muted); font-weight: 600; font-size: .8rem; }
th:first-child, td:first-child { padding-left: 1rem; }
td.text, th.text { text-align: left; }
td.note { color: var(--muted); font-size: .875rem; text-align: left; white-space: normal; min-width: 12rem; }
td.bar { min-width: 11rem; }
td.bar span { display: block; padding: 0 .4rem; border-radius: 4px;
  background: linear-gradient(to right, var(--bar) var(--w), transparent var(--w)); }
tr.failed td { color: var(--bad); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(18.5rem, 1fr)); gap: .9rem; margin-top: 1rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: .8rem .9rem .7rem; }
figure.wide { padding: 1rem; margin-top: 1rem; overflow-x: auto; }
figure.wide svg { min-width: 40rem; }
figure.single { max-width: 38rem; margin-top: 1rem; }
figure header { display: flex; justify-content: space-between; align-items: baseline; gap: .75rem; }
figure header span { color: var(--muted); font-size: .875rem; font-variant-numeric: tabular-nums; }
figcaption { font-size: .8rem; line-height: 1.45; overflow-wrap: anywhere; margin-top: .2rem; }
svg { display: block; width: 100%; height: auto; margin-top: .35rem; }
svg text { fill: var(--muted); font: 11px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
svg text.legend { fill: var(--text); }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .axis { stroke: var(--muted); stroke-width: 1; opacity: .65; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .dashed { stroke-dasharray: 5 4; stroke-width: 1.7; }
svg .muted { stroke: var(--muted); stroke-width: 1; opacity: .35; }
svg .muted:hover { opacity: 1; stroke-width: 2; }
svg .first { stroke: var(--first); } svg .second { stroke: var(--second); }
svg .c0 { stroke: var(--c0); } svg .c1 { stroke: var(--c1); } svg .c2 { stroke: var(--c2); }
svg .c3 { stroke: var(--c3); } svg .c4 { stroke: var(--c4); } svg .c5 { stroke: var(--c5); }
svg .dot { stroke: none; fill: var(--first); opacity: .55; }
.digits { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.digits li { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: .55rem;
  text-align: center; font-size: .78rem; line-height: 1.35; width: 7.2rem; white-space: nowrap; }
.digits img { width: 5.6rem; height: 5.6rem; image-rendering: pixelated; border-radius: 4px; display: block;
  margin: 0 auto .35rem; }
.digits b { color: var(--bad); }
table.confusion { width: auto; margin: 1rem; }
table.confusion th, table.confusion td { text-align: center; padding: .35rem .6rem; min-width: 2.5rem; border: 0; }
table.confusion td { border-radius: 4px; }
table.confusion td.right { background: rgba(var(--heat), var(--a)); }
table.confusion td.wrong { background: rgba(var(--miss), var(--a)); }
table.confusion td.none { color: var(--muted); opacity: .45; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 1rem 0; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } h1 { font-size: 1.5rem; } }
@media print { body { background: none; } figure, .scroll { break-inside: avoid; } nav { display: none; } }
)css";
}

}  // namespace keratin::cli
