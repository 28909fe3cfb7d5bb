/** The looks of the report: nothing is fetched, light and dark as the reader has it. */
export const htmlStyle = `
:root { color-scheme: light dark; --ok: #1a7f37; --bad: #cf222e; --odd: #9a6700; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; }
.sum span { margin-right: 1rem; }
.passed { color: var(--ok); } .failed, .cancelled { color: var(--bad); } .flaky, .skipped { color: var(--odd); }
details.run { border: 1px solid var(--line); border-radius: .5rem; margin: .6rem 0; }
details.run > summary { padding: .5rem .8rem; cursor: pointer; display: flex; gap: .8rem; align-items: baseline; }
summary b { min-width: 4.5rem; } summary .file { opacity: .65; flex: 1; } summary .time { font-variant-numeric: tabular-nums; }
.body { padding: 0 .8rem .8rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .5rem; border-top: 1px solid var(--line); vertical-align: top; }
td.time { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } td.node { white-space: nowrap; }
tr.failed td { background: color-mix(in srgb, var(--bad) 9%, transparent); }
.bar { height: 3px; background: var(--ok); border-radius: 2px; margin-top: .2rem; } tr.failed .bar { background: var(--bad); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0; font-size: .85rem; background: var(--soft); padding: .4rem; border-radius: .3rem; }
img { max-width: 100%; border: 1px solid var(--line); border-radius: .3rem; margin-top: .4rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; } .note { opacity: .7; font-size: .85rem; }
`;
