/** The report as one page: tables and plots drawn as SVG, nothing fetched, readable in light and dark. */
import type { TimelinePoint } from "../measures/outcome.ts";
import type { TapeResult } from "../plan.ts";
import { measuredText, SUMMARY_COLUMNS, type SummaryRow, summaries } from "./summary.ts";
import {
  COLUMNS,
  capitalText,
  factsOf,
  failures,
  marginsText,
  type Report,
  type Row,
  rowsOf,
} from "./text.ts";

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#d0d7de;--soft:#57606a}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--line:#30363d;--soft:#9198a1}}
body{margin:0 auto;max-width:1180px;padding:24px;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:24px}h2{font-size:19px;margin-top:40px;border-top:1px solid var(--line);padding-top:16px}
p,caption{color:var(--soft)}table{border-collapse:collapse;font-size:12.5px;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}
th,td{padding:3px 7px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}th{white-space:normal;vertical-align:bottom}th:first-child,td:first-child{text-align:left}
.best{font-weight:700}.bad{color:#d1242f;font-weight:700}svg text{fill:var(--ink);font:11px system-ui,sans-serif}
pre{overflow-x:auto;font-size:12px}.plots{display:flex;flex-wrap:wrap;gap:18px}`;

const COLOURS = [
  "#0969da",
  "#cf222e",
  "#1a7f37",
  "#9a6700",
  "#8250df",
  "#bf3989",
  "#57606a",
  "#0a7ea4",
];
/** Bars of what the first row is compared with. */
const OTHERS = "#8c959f";

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

interface Line {
  readonly title: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

const WIDTH = 540;
const HEIGHT = 230;
const LEFT = 46;
const BOTTOM = 22;

function plot(title: string, lines: readonly Line[], text: (value: number) => string): string {
  const all = lines.flatMap(({ points }) => points);
  if (all.length === 0) return "";
  const [xMax, yMin] = [Math.max(...all.map(([x]) => x), 1), Math.min(...all.map(([, y]) => y))];
  const yMax = Math.max(...all.map(([, y]) => y), yMin + 1e-9);
  const x = (value: number): number => LEFT + (value / xMax) * (WIDTH - LEFT - 8);
  const y = (value: number): number =>
    18 + (1 - (value - yMin) / (yMax - yMin)) * (HEIGHT - BOTTOM - 18);
  const ticks = [yMin, (yMin + yMax) / 2, yMax].map(
    (value) =>
      `<line x1="${LEFT}" x2="${WIDTH - 8}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="var(--line)"/><text x="${LEFT - 5}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${text(value)}</text>`,
  );
  const minutes = [0, xMax / 2, xMax].map(
    (value, i) =>
      `<text x="${x(value).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="${["start", "middle", "end"][i]}">${Math.round(value)}${i === 2 ? " min" : ""}</text>`,
  );
  const paths = lines.map(
    ({ points, colour, dashed }) =>
      `<polyline fill="none" stroke="${colour}" stroke-width="1.6"${dashed === true ? ' stroke-dasharray="5 3"' : ""} points="${points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(" ")}"/>`,
  );
  const legend = lines
    .map(({ title: name, colour }) => `<span style="color:${colour}">■</span> ${escaped(name)}`)
    .join(" &nbsp; ");
  return `<figure style="margin:0"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img" aria-label="${escaped(title)}"><text x="${LEFT}" y="12">${escaped(title)}</text>${ticks.join("")}${minutes.join("")}${paths.join("")}</svg><figcaption style="font-size:12px;max-width:${WIDTH}px">${legend}</figcaption></figure>`;
}

const BAR_TITLE = 62;
/** Where bars begin, and the longest of them. */
const BARS_LEFT = 330;
const BARS_WIDTH = 155;

function shortened(title: string): string {
  return title.length > BAR_TITLE ? `${title.slice(0, BAR_TITLE - 1)}…` : title;
}

interface Bar {
  readonly title: string;
  readonly value: number;
  /** Of several seeds; drawn as a whisker. */
  readonly spread: number;
}

function bars(title: string, all: readonly Bar[], text: (value: number) => string): string {
  const most = Math.max(...all.map(({ value, spread }) => value + spread), 1e-9);
  const height = 18 * all.length + 22;
  const x = (value: number): number => BARS_LEFT + Math.max(0, value / most) * BARS_WIDTH;
  const body = all.map(({ title: name, value, spread }, i) => {
    const top = 22 + 18 * i;
    const [low, high] = [x(value - spread).toFixed(1), x(value + spread).toFixed(1)];
    const whisker =
      spread === 0
        ? ""
        : `<line x1="${low}" x2="${high}" y1="${top + 6.5}" y2="${top + 6.5}" stroke="var(--ink)" stroke-width="2"/>`;
    return `<text x="${BARS_LEFT - 6}" y="${top + 11}" text-anchor="end">${escaped(shortened(name))}</text><rect x="${BARS_LEFT}" y="${top}" width="${(x(value) - BARS_LEFT).toFixed(1)}" height="13" fill="${i === 0 ? COLOURS[0] : OTHERS}"/>${whisker}<text x="${(x(value + spread) + 4).toFixed(1)}" y="${top + 11}">${text(value)}</text>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img" aria-label="${escaped(title)}"><text x="${BARS_LEFT}" y="12" font-weight="700">${escaped(title)}, less is better</text>${body.join("")}</svg>`;
}

function cells(tape: TapeResult): string {
  const rows = rowsOf(tape);
  const header = ["", ...COLUMNS.map(({ title }) => title)]
    .map((title) => `<th>${escaped(title)}</th>`)
    .join("");
  const compared = rows.filter(({ title }) => tape.rules[title] !== undefined);
  const body = rows.map(({ title, outcome }) => {
    const values = COLUMNS.map(({ of, text, charted }) => {
      const best = Math.min(...compared.map((row) => of(row.outcome)));
      const isBest =
        charted === true &&
        compared.length > 1 &&
        tape.rules[title] !== undefined &&
        of(outcome) === best;
      return `<td${isBest ? ' class="best"' : ""}>${text(of(outcome))}</td>`;
    });
    return `<tr><td>${escaped(title)}</td>${values.join("")}</tr>`;
  });
  return `<table><thead><tr>${header}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

function lineOf(rows: readonly Row[], of: (point: TimelinePoint) => number): Line[] {
  return rows.map(({ title, outcome }, i) => ({
    title,
    colour: COLOURS[i % COLOURS.length] ?? "",
    points: outcome.timeline.map((point) => [point.minute, of(point)] as const),
  }));
}

function section(tape: TapeResult): string {
  const rows = rowsOf(tape);
  const lined = rows.filter(({ title }) => !title.startsWith("keel:"));
  const [first] = rows;
  const outside: Line[] =
    first === undefined
      ? []
      : [
          {
            ...{ title: "outside", colour: "var(--ink)", dashed: true },
            points: first.outcome.timeline.map(
              ({ minute, outside: level }) => [minute, level] as const,
            ),
          },
        ];
  const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
  const millions = (value: number): string => `${(value / 1e6).toFixed(1)}M`;
  const facts = factsOf(tape)
    .map(({ broken, text }) => `<p${broken === null ? "" : ' class="bad"'}>${escaped(text)}</p>`)
    .join("");
  return `<h2>${escaped(tape.name)} × ${tape.size}, seed ${tape.seed}</h2><p>${escaped(tape.about)}. Money in thousands of settlement units; of the rule sets on the model the best is bold.</p>${facts}${cells(tape)}<div class="plots">${plot("first underlying as marked, % of its level at the start", [...outside, ...lineOf(lined, ({ mark }) => mark)], percent)}${plot(
    "bad debt so far, settlement units",
    lineOf(lined, ({ badDebt }) => badDebt),
    millions,
  )}${COLUMNS.filter(({ charted }) => charted === true)
    .map(({ title, of, text }) =>
      bars(
        title,
        rows.map((row) => ({ title: row.title, value: of(row.outcome), spread: 0 })),
        text,
      ),
    )
    .join("")}</div>`;
}

function tables({ margins, capital }: Report): string {
  if (margins === null) return "";
  return `<h2>Margins over years</h2><pre>${escaped(marginsText(margins))}</pre><h2>Hedged books</h2><pre>${escaped(capitalText(capital))}</pre>`;
}

/** Rows of a summary as bars, of the measures that are drawn. */
function drawn(rows: readonly SummaryRow[]): string {
  return SUMMARY_COLUMNS.map(({ title, places, charted }, column) =>
    charted === true
      ? bars(
          title,
          rows.map(({ title: name, values }) => ({
            title: name,
            value: values[column]?.mean ?? 0,
            spread: values[column]?.spread ?? 0,
          })),
          (value) => value.toFixed(places),
        )
      : "",
  ).join("");
}

/** Of all tapes: a table for the rows of each kind, and a bar with the spread of the seeds for what matters most. */
function overall({ tapes, seeds, margins }: Report): string {
  const over = seeds === 1 ? "" : `, mean of ${seeds} seeds ± the farthest of them`;
  return summaries(tapes, margins === null)
    .map(({ title, rows }) => {
      const header = ["", ...SUMMARY_COLUMNS.map((column) => column.title)]
        .map((text) => `<th>${escaped(text)}</th>`)
        .join("");
      const body = rows
        .map(
          (row) =>
            `<tr><td>${escaped(row.title)}</td>${row.values
              .map((value, i) => `<td>${measuredText(value, SUMMARY_COLUMNS[i]?.places ?? 0)}</td>`)
              .join("")}</tr>`,
        )
        .join("");
      return `<h2>${escaped(title)}</h2><p>All tapes added up${over}; amplification is the mean of those that fall. The first row is the recommended one.</p><table><thead><tr>${header}</tr></thead><tbody>${body}</tbody></table><div class="plots">${drawn(rows)}</div>`;
    })
    .join("");
}

export function reportHtml(report: Report): string {
  const broken = failures(report.tapes);
  const verdict =
    broken.length === 0
      ? "<p>Nothing broke.</p>"
      : `<ul>${broken.map((one) => `<li class="bad">${escaped(one)}</li>`).join("")}</ul>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Keel stress laboratory</title><style>${STYLE}</style></head><body><h1>Keel stress laboratory</h1><p>${report.accounts} accounts, ${report.seeds === 1 ? `seed ${report.seed}` : `seeds ${report.seed} to ${report.seed + report.seeds - 1}`}. <code>${escaped(report.command)}</code></p>${verdict}${overall(report)}${report.tapes.map(section).join("")}${tables(report)}</body></html>
`;
}
