package timeline

// svgStyle has the colours, once for a light and once for a dark page, and the patterns. It has no CSS variables, which
// not every program that shows pictures knows.
const svgStyle = `<style>
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.heading { font-size: 13px; font-weight: 600; }
.small { font-size: 11px; fill: #59636e; }
.badge { font-size: 11px; font-weight: 600; }
.inband { font-size: 11px; fill: #1f2328; }
.page { fill: #ffffff; }
.frame { fill: #f6f8fa; }
.grid { stroke: #d1d9e0; }
.zero { stroke: #59636e; }
.leader { stroke: #59636e; fill: none; }
.break { fill: #ffffff; }
.breakline { stroke: #59636e; fill: none; }
.step0 { fill: #8c98a5; }
.step1 { fill: #cbd3db; }
.deadline { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 3; }
.deadlinetext { fill: #cf222e; }
.gone { fill: #1a7f37; stroke: #ffffff; }
.ranout { fill: #cf222e; stroke: #ffffff; }
.open { fill: #b4e3bd; }
.blocked { fill: url(#stripes); }
.woken { fill: url(#dots); }
.closing { fill: url(#bars); }
.lingering { fill: #3f76c9; }
.stripes { fill: #f5d48a; } .stripesline { stroke: #a86a00; stroke-width: 2; }
.dots { fill: #a5e3e6; } .dotsdot { fill: #0a6b72; }
.bars { fill: #e0cdfa; } .barsline { stroke: #7a46c4; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
text, .inband { fill: #e6edf3; }
.small { fill: #9198a1; }
.page, .break { fill: #0d1117; }
.frame { fill: #151b23; }
.grid { stroke: #2f3742; }
.zero, .leader, .breakline { stroke: #9198a1; }
.step0 { fill: #76818d; }
.step1 { fill: #3d4753; }
.deadline { stroke: #ff7b72; }
.deadlinetext { fill: #ff7b72; }
.gone { fill: #3fb950; stroke: #0d1117; }
.ranout { fill: #ff7b72; stroke: #0d1117; }
.open { fill: #1f5a30; }
.lingering { fill: #6ea8fe; }
.stripes { fill: #5c430c; } .stripesline { stroke: #e3a92c; }
.dots { fill: #11484d; } .dotsdot { fill: #56d4dd; }
.bars { fill: #3b2a5e; } .barsline { stroke: #b98cff; }
}
</style>
<defs>
<pattern id="stripes" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="stripes" width="7" height="7"/><line class="stripesline" x1="1" y1="0" x2="1" y2="7"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="dots" width="5" height="5"/><circle class="dotsdot" cx="2.5" cy="2.5" r="1.2"/></pattern>
<pattern id="bars" width="4" height="4" patternUnits="userSpaceOnUse"><rect class="bars" width="4" height="4"/><line class="barsline" x1="1" y1="0" x2="1" y2="4"/></pattern>
</defs>
`
