/** The page's whole style: no font, image or script is fetched. Colours differ in brightness too, and follow the system's light or dark. */
export const style = `
:root { color-scheme: light dark; --ground: #fcfcfb; --text: #1b1b1a; --soft: #66655f; --rule: #e4e3de;
  --a: #2a6fd0; --b: #c2570c; --c: #8a8985; --good: #1c7a3e; --warn: #9a6700; --bad: #c02b2b; --gap: #f3d9a4; }
@media (prefers-color-scheme: dark) { :root { --ground: #191918; --text: #ecebe6; --soft: #a3a29b; --rule: #353430;
  --a: #6aa5f2; --b: #ef8d4b; --c: #8f8e88; --good: #57b877; --warn: #d9a53a; --bad: #f07070; --gap: #54431d; } }
body { margin: 0 auto; max-width: 1320px; padding: 24px; background: var(--ground); color: var(--text);
  font: 14px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 4px; border-top: 1px solid var(--rule); padding-top: 16px; }
h3 { font-size: 15px; margin: 20px 0 4px; }
.facts { color: var(--soft); margin: 2px 0 10px; }
.verdict { font-weight: 700; } .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 12px 3px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); font-weight: 400; }
thead th { color: var(--soft); } tbody th, th:first-child, td.text { text-align: left; } tbody th { font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 8px 24px; }
figure { margin: 0; } figcaption { font-weight: 600; font-size: 13px; } svg { width: 100%; height: auto; display: block; }
svg.timeline { min-width: 720px; } svg.spark { width: 160px; height: 22px; }
.key { font-weight: 400; margin-left: 12px; white-space: nowrap; } .key::before { content: ""; display: inline-block; width: 14px; border-top: 2px solid; margin-right: 5px; vertical-align: middle; }
.key.k0::before { border-color: var(--a); } .key.k1::before { border-color: var(--b); } .key.k2::before { border-color: var(--c); } .key.k3::before { border-color: var(--b); border-top-style: dashed; }
.grid { stroke: var(--rule); } .tick { fill: var(--soft); font-size: 12px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line.k0 { stroke: var(--a); } .line.k1 { stroke: var(--b); } .line.k2 { stroke: var(--c); stroke-width: 1.2; } .line.k3 { stroke: var(--b); stroke-dasharray: 2 5; }
.gap { fill: var(--gap); } .hover { fill: transparent; } .hover:hover { fill: var(--soft); fill-opacity: .14; }
.swatch { margin-right: 14px; } .swatch::before { content: ""; display: inline-block; width: 12px; height: 12px; margin-right: 5px; vertical-align: -1px; background: var(--rule); }
rect[class^="state-"] { fill: var(--rule); }
rect.state-PREPARING { fill: #b9a3d9; } .swatch.state-PREPARING::before { background: #b9a3d9; }
rect.state-READY, rect.state-ARMED { fill: #9dc3ea; } .swatch.state-READY::before { background: #9dc3ea; }
rect.state-RUNNING { fill: var(--a); } .swatch.state-RUNNING::before { background: var(--a); }
rect.state-DRAINING { fill: #7fb5a8; } .swatch.state-DRAINING::before { background: #7fb5a8; }
rect.state-CLEANING { fill: #c7c3a0; } .swatch.state-CLEANING::before { background: #c7c3a0; }
rect.state-FAILED, rect.state-ABORTED { fill: var(--bad); } .swatch.state-FAILED::before { background: var(--bad); }
rect.link-DISCONNECTED { fill: var(--ground); stroke: var(--text); } .swatch.link-DISCONNECTED::before { background: var(--ground); outline: 1px solid var(--text); }
rect.link-HUNG { fill: var(--text); } .swatch.link-HUNG::before { background: var(--text); }
pre { white-space: pre-wrap; font-size: 12px; border: 1px solid var(--rule); padding: 12px; overflow-x: auto; }
@media print { .scroll { overflow: visible; } details { display: none; } }
`;
