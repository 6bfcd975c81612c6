/** The report of a replay: what happened, in figures, and the checks. Printed for people, written as JSON for programs. */
import { formatMoney } from "@keel/client/decimal";
import type { Check } from "./checks.ts";
import type { Figures } from "./figures.ts";
import type { Tally } from "./tally.ts";

/** Money as decimal text in whole settlement units. */
export interface ReplayReport {
  readonly prices: string;
  readonly seed: number;
  readonly scale: number;
  readonly validators: number;
  /** Price ranges could stop the market. */
  readonly ranges: boolean;
  readonly traders: number;
  /** Those who have held a position. */
  readonly openedTraders: number;
  readonly liquidatedTraders: number;
  /** At the book and in auctions. */
  readonly liquidations: { readonly count: number; readonly notional: string };
  /** Of these, what bidders took in auctions. */
  readonly bids: { readonly count: number; readonly notional: string };
  /** What the vault took over. */
  readonly backstop: { readonly count: number; readonly notional: string };
  readonly insurance: {
    readonly before: string;
    readonly after: string;
    readonly received: string;
    readonly paid: string;
    readonly deficitsPaid: number;
  };
  /** Most that stood in the deficit queue at once, and what stands there at the end. */
  readonly badDebt: { readonly most: string; readonly atEnd: string };
  /** `loss`: what it cost the other side; nothing where the fund has paid and it was closed at mark. */
  readonly deleveraged: {
    readonly count: number;
    readonly notional: string;
    readonly loss: string;
  };
  readonly worstAccount: {
    readonly account: string;
    readonly equity: string;
    readonly height: number;
  } | null;
  readonly trades: number;
  readonly txs: { readonly count: number; readonly failed: number; readonly perSecond: number };
  /** Actors' attempts the chain refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly blocks: {
    readonly count: number;
    readonly intervalMs: { readonly p50: number; readonly p99: number; readonly max: number };
  };
  readonly seconds: number;
  readonly checks: readonly Check[];
  /** What the checks of money and positions were computed from. */
  readonly figures: Figures;
  readonly ok: boolean;
}

export interface ReportFacts {
  readonly prices: string;
  readonly seed: number;
  readonly scale: number;
  readonly validators: number;
  readonly ranges: boolean;
  /** Text of each trader's sub-account: "keel1…/0". */
  readonly traders: readonly string[];
  readonly fundBefore: bigint;
  readonly fundAfter: bigint;
  readonly shortfallAtEnd: bigint;
  readonly refused: ReadonlyMap<string, number>;
  /** Chain time of each block while the prices played. */
  readonly blocks: readonly { readonly timeMs: number; readonly txs: number }[];
  readonly checks: readonly Check[];
  readonly figures: Figures;
}

export function makeReport(facts: ReportFacts, tally: Tally): ReplayReport {
  const { blocks, scale, checks } = facts;
  const first = blocks[0]?.timeMs ?? 0;
  const seconds = ((blocks.at(-1)?.timeMs ?? first) - first) / 1000 / scale;
  const txs = blocks.slice(1).reduce((sum, block) => sum + block.txs, 0);
  const intervals = blocks
    .slice(1)
    .map((block, i) => (block.timeMs - (blocks[i]?.timeMs ?? 0)) / scale)
    .sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(
      intervals[Math.min(intervals.length - 1, Math.floor(share * intervals.length))] ?? 0,
    );
  return {
    prices: facts.prices,
    seed: facts.seed,
    scale,
    validators: facts.validators,
    ranges: facts.ranges,
    traders: facts.traders.length,
    openedTraders: facts.figures.crowd.opened,
    liquidatedTraders: facts.traders.filter((trader) => tally.liquidatedAccounts.has(trader))
      .length,
    liquidations: { count: tally.liquidations, notional: formatMoney(tally.liquidatedNotional) },
    bids: { count: tally.bidFills, notional: formatMoney(tally.bidNotional) },
    backstop: { count: tally.takeovers, notional: formatMoney(tally.takenOverNotional) },
    insurance: {
      before: formatMoney(facts.fundBefore),
      after: formatMoney(facts.fundAfter),
      received: formatMoney(tally.insuranceReceived),
      paid: formatMoney(tally.insurancePaid),
      deficitsPaid: tally.deficitsCovered,
    },
    badDebt: {
      most: formatMoney(tally.shortfallMax),
      atEnd: formatMoney(facts.shortfallAtEnd),
    },
    deleveraged: {
      count: tally.deleverages,
      notional: formatMoney(tally.deleveragedNotional),
      loss: formatMoney(tally.deleveragedLoss),
    },
    worstAccount:
      tally.worst === null
        ? null
        : {
            account: tally.worst.account,
            equity: formatMoney(tally.worst.equity),
            height: tally.worst.height,
          },
    trades: tally.trades,
    txs: {
      count: tally.txs,
      failed: tally.failedTxs,
      perSecond: seconds > 0 ? Math.round((txs / seconds) * 10) / 10 : 0,
    },
    refused: Object.fromEntries([...facts.refused].sort(([a], [b]) => (a < b ? -1 : 1))),
    blocks: {
      count: tally.blocks,
      intervalMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    },
    seconds: Math.round(seconds),
    checks,
    figures: facts.figures,
    ok: exitCode(checks) === 0,
  };
}

export function exitCode(checks: readonly Check[]): 0 | 1 {
  return checks.length > 0 && checks.every(({ ok }) => ok) ? 0 : 1;
}

export function printReport(report: ReplayReport): string {
  const { liquidations, bids, backstop, insurance, deleveraged, badDebt } = report;
  const { txs, blocks, worstAccount } = report;
  const rows: [string, string][] = [
    ["prices", `${report.prices} at ${report.scale}x, seed ${report.seed}`],
    [
      "rules",
      `the whole clearing house, price ranges ${report.ranges ? "included" : "left out (--ranges)"}`,
    ],
    [
      "traders",
      `${report.traders}, ${report.openedTraders} of them opened a position, ${report.liquidatedTraders} were liquidated`,
    ],
    [
      "liquidations",
      `${liquidations.count}, notional ${money(liquidations.notional)}; of these to bidders ${bids.count}, notional ${money(bids.notional)}`,
    ],
    ["backstop", `${backstop.count} taken over, notional ${money(backstop.notional)}`],
    [
      "insurance fund",
      `${money(insurance.before)} before, ${money(insurance.after)} after; received ${money(insurance.received)}, paid ${money(insurance.paid)} for ${insurance.deficitsPaid} deficits`,
    ],
    [
      "bad debt",
      `${money(insurance.paid)} borne by the fund; unpaid ${money(badDebt.most)} at most, ${money(badDebt.atEnd)} at the end`,
    ],
    [
      "auto-deleveraged",
      `${deleveraged.count}, notional ${money(deleveraged.notional)}, at a loss of ${money(deleveraged.loss)} to the other side`,
    ],
    [
      "worst account",
      worstAccount === null
        ? "none was liquidated"
        : `${worstAccount.account} at ${money(worstAccount.equity)} in block ${worstAccount.height}`,
    ],
    ["trades", String(report.trades)],
    [
      "transactions",
      `${txs.count} (${txs.failed} failed), ${txs.perSecond}/s over ${report.seconds} s`,
    ],
    [
      "blocks",
      `${blocks.count}, interval p50 ${blocks.intervalMs.p50} ms, p99 ${blocks.intervalMs.p99} ms, longest ${blocks.intervalMs.max} ms`,
    ],
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(18)}${text}`);
  return `\n${lines.join("\n")}\n\n${printChecks(report.checks)}`;
}

export function printChecks(checks: readonly Check[]): string {
  const lines = checks.map(
    ({ name, ok, detail }) => `  ${ok ? "ok  " : "FAIL"}  ${name} (${detail})`,
  );
  return `${lines.join("\n")}\n\n${exitCode(checks) === 0 ? "every check holds" : "A CHECK FAILED"}\n`;
}

/** Two places, thousands apart. */
function money(text: string): string {
  const [whole = "0", fraction = ""] = text.split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${fraction.padEnd(2, "0").slice(0, 2)}`;
}
