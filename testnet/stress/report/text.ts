/** The report as text: one table a tape, what failed, margins, hedged books. */
import type { ChainOutcome } from "../chain/run.ts";
import type { HedgedBook } from "../measures/capital.ts";
import type { MarginStudy } from "../measures/margins.ts";
import type { Outcome } from "../measures/outcome.ts";
import type { TapeResult } from "../plan.ts";
import { ALTERNATIVES } from "../venue/rule-sets.ts";
import { measuredText, SUMMARY_COLUMNS, summaries } from "./summary.ts";

export interface Report {
  readonly command: string;
  readonly seed: number;
  readonly seeds: number;
  readonly accounts: number;
  readonly tapes: readonly TapeResult[];
  /** null: a proposal was tried, nothing else. */
  readonly margins: MarginStudy | null;
  readonly capital: readonly HedgedBook[];
}

export interface Row {
  readonly title: string;
  readonly outcome: Outcome | ChainOutcome;
}

const REAL = "keel, real modules";

export function rowsOf(tape: TapeResult): Row[] {
  return [
    ...(tape.chain === null ? [] : [{ title: REAL, outcome: tape.chain }]),
    ...Object.entries(tape.rules).map(([title, outcome]) => ({ title, outcome })),
    ...ALTERNATIVES.flatMap(({ key, title, group }) => {
      const outcome = tape.alternatives[key];
      return outcome === undefined ? [] : [{ title: `keel: ${group}: ${title}`, outcome }];
    }),
  ];
}

export interface Column {
  readonly title: string;
  readonly of: (outcome: Outcome) => number;
  readonly text: (value: number) => string;
  /** Less is better in all of them; a bar chart is drawn for these. */
  readonly charted?: true;
}

const thousands = (value: number): string => Math.round(value / 1_000).toLocaleString("en");
const whole = (value: number): string => `${Math.round(value)}`;
const percent = (value: number): string => `${(value * 100).toFixed(1)}`;

export const COLUMNS: readonly Column[] = [
  { title: "open interest k", of: (o) => o.openInterest, text: thousands },
  { title: "bad debt k", of: (o) => o.badDebt, text: thousands, charted: true },
  {
    title: "after the fund k",
    of: (o) => o.badDebt - o.paidByFund,
    text: thousands,
    charted: true,
  },
  { title: "of it unpaid k", of: (o) => o.unpaid, text: thousands },
  { title: "ADL k", of: (o) => o.deleveragedNotional, text: thousands, charted: true },
  { title: "overshoot k", of: (o) => o.overshootNotional, text: thousands },
  { title: "at book k", of: (o) => o.liquidatedNotional, text: thousands },
  { title: "taken over k", of: (o) => o.takenOverNotional, text: thousands },
  { title: "trough %", of: (o) => o.markTrough, text: percent },
  { title: "amplification", of: (o) => o.amplification, text: (v) => v.toFixed(2), charted: true },
  { title: "liquidated", of: (o) => o.accountsLiquidated, text: whole },
  { title: "false", of: (o) => o.falseLiquidations, text: whole, charted: true },
  { title: "s above limit", of: (o) => o.secondsAboveFundLimit, text: whole },
  { title: "hedges broken", of: (o) => o.hedgesBroken, text: whole },
];

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

/** What is only known of rows on the real modules. */
export function factsOf(
  tape: TapeResult,
): readonly { readonly broken: string | null; readonly text: string }[] {
  return rowsOf(tape).flatMap(({ title, outcome }) =>
    "blocks" in outcome
      ? [{ broken: outcome.broken, text: `${title}: ${chainText(outcome)}` }]
      : [],
  );
}

function chainText(chain: ChainOutcome): string {
  const { blocks, transactions, refused, quarantined, broken } = chain;
  const { auctionedNotional, throttled, rangesLeft, outages, losses } = chain;
  return [
    `${blocks} blocks, ${transactions} transactions (${refused} refused), ${quarantined.length} markets quarantined; ${broken ?? `every invariant held, every block and each of ${losses} losses summed to zero`};`,
    `ladder: ${thousands(auctionedNotional)}k sold in auctions, throttled ${throttled} times; guard: ${rangesLeft} ranges left, ${outages} gaps, ${chain.controllerMoves} moves of controllers, ${chain.blocksHalted} blocks without trading;`,
    `attackers: a pair at most ${chain.gainedInOneBlock.toFixed(2)} in one block and ${thousands(chain.gainedByPair)}k in the end, by knowing the next price ${thousands(chain.gainedByLatency)}k, price moved by lying validators ${(chain.manipulatorShift * 100).toFixed(4)} %`,
  ].join(" ");
}

export function tapeText(tape: TapeResult): string {
  const rows = rowsOf(tape).map(({ title, outcome }) => [
    title,
    ...COLUMNS.map(({ of, text }) => text(of(outcome))),
  ]);
  const outcomes = [...rowsOf(tape).map(({ outcome }) => outcome), ...Object.values(tape.variants)];
  const outside = Math.max(0, ...outcomes.map(({ outsideTrough }) => outsideTrough));
  const lines = [
    `${tape.name} x ${tape.size}, seed ${tape.seed}: ${tape.about}; outside −${percent(outside)} %`,
  ];
  if (rows.length > 0) lines.push(table(["", ...COLUMNS.map(({ title }) => title)], rows));
  lines.push(...factsOf(tape).map(({ text }) => text));
  return [...lines, ...tape.broken.map((one) => `BROKEN ${one}`)].join("\n");
}

export function marginsText({ source, quantile, rows }: MarginStudy): string {
  const cells = rows.map((row) => [
    row.name,
    ...[percent(row.meanMargin), `${row.breaches}`, percent(row.rate)],
    ...[row.kupiec.toFixed(1), row.christoffersen.toFixed(1), row.peakToTrough.toFixed(1)],
    ...[row.rise1, row.rise5, row.rise30].map((rise) => (rise * 100).toFixed(0)),
  ]);
  const header = ["", "mean %", "breaches", "%", "Kupiec", "Christoffersen", "peak/trough"];
  return `margins of a day, ${source}: ${rows[0]?.days} days, 99 % of moves within ${percent(quantile)} %
${table([...header, "1 d", "5 d", "30 d"], cells)}`;
}

export function capitalText(books: readonly HedgedBook[]): string {
  const cells = books.map((one) => [
    one.rules,
    ...[one.leg, one.sameUnderlying, one.twoUnderlyings].map(percent),
  ]);
  return `margin per hedged book at equal coverage, % of one leg
${table(["", "leg as it is", "perpetual / future", "BTC / ETH"], cells)}`;
}

export function failures(tapes: readonly TapeResult[]): string[] {
  return tapes.flatMap(({ name, size, seed, chain, variants, broken }) => {
    const onChain = [["as recommended", chain] as const, ...Object.entries(variants)].flatMap(
      ([variant, one]) =>
        one === null || one.broken === null ? [] : [`real modules, ${variant}: ${one.broken}`],
    );
    return [...broken, ...onChain].map((reason) => `${name} x ${size}, seed ${seed}: ${reason}`);
  });
}

function summariesText({ tapes, seeds, margins }: Report): string[] {
  const over = `all tapes${seeds === 1 ? "" : `, mean of ${seeds} seeds ± the farthest`}`;
  return summaries(tapes, margins === null).map(
    ({ title, rows }) =>
      `${title}: ${over}\n${table(
        ["", ...SUMMARY_COLUMNS.map((column) => column.title)],
        rows.map((row) => [
          row.title,
          ...row.values.map((value, i) => measuredText(value, SUMMARY_COLUMNS[i]?.places ?? 0)),
        ]),
      )}`,
  );
}

export function reportText(report: Report): string {
  return [
    ...report.tapes.map(tapeText),
    ...summariesText(report),
    ...(report.margins === null ? [] : [marginsText(report.margins), capitalText(report.capital)]),
  ].join("\n\n");
}
