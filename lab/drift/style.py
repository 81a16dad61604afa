"""CSS of the drift page, responsive, with light and dark colours."""

CSS = """
:root{color-scheme:light dark;--ground:#fff;--ink:#1c1c1c;--soft:#5d6166;--line:#d9dce0;--panel:#f6f7f8;
--was:#9aa0a6;--now:#1f6fb2;--bad:#b3261e;--fair:#9a6200;--good:#1b6e3c;--band:#1f6fb226}
@media (prefers-color-scheme:dark){:root{--ground:#14171a;--ink:#e8eaed;--soft:#a3a9b0;--line:#33393f;--panel:#1d2125;
--was:#7d848b;--now:#69b1ee;--bad:#ff8a80;--fair:#f2b84b;--good:#7fd6a0;--band:#69b1ee2e}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.7rem;margin:.4rem 0}h2{font-size:1.2rem;margin:0 0 .6rem}h3{font-size:1rem;margin:1rem 0 .4rem}
section{border-top:1px solid var(--line);padding:1.1rem 0}
p{margin:.4rem 0}.small{color:var(--soft);font-size:.85rem}
.verdict{font-size:1.15rem}
.badge{border:1px solid currentColor;border-radius:1rem;padding:.05rem .6rem;font-size:.85em;white-space:nowrap}
.bad{color:var(--bad)}.fair{color:var(--fair)}.good{color:var(--good)}.plain{color:var(--soft)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600}
td:last-child{min-width:6rem}.words td:last-child{min-width:15rem}.bars svg{max-width:42rem}
td.number{font-variant-numeric:tabular-nums;white-space:nowrap}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem;margin:.8rem 0}
figure{margin:0;background:var(--panel);border-radius:.5rem;padding:.6rem}
figcaption{font-size:.85rem;color:var(--soft);margin-bottom:.3rem}
svg{width:100%;height:auto;display:block}
svg text{fill:var(--ink);font:11px system-ui,sans-serif}svg .soft{fill:var(--soft)}
.drifted{fill:var(--bad)}.slight{fill:var(--fair)}.unclear{fill:var(--was)}.stable{fill:var(--now)}
.was{fill:var(--was)}.now{fill:var(--now)}.band{fill:var(--band)}
.rule{stroke:var(--soft);stroke-dasharray:4 3}.path{stroke:var(--now);fill:none;stroke-width:1.5}
.dot{fill:var(--now)}.dot.alarm{fill:var(--bad)}
"""
