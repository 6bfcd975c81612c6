/** Why the waterfall did what its events say: the rules in the names of their inputs. */
import { type Explanation, quantities } from "../../kit/explanation.ts";
import type { DeleverageReport, HaircutReport, LossReport, RoundReport, Wait } from "./reports.ts";

type Lines = readonly (readonly [string, bigint])[];

const named = (lines: Lines, prefix: string): Record<string, bigint> =>
  Object.fromEntries(lines.map(([name, quanta]) => [`${prefix}${name}`, quanta]));

const LOSS_RULES: Readonly<Record<LossReport["cause"], string>> = {
  liquidation:
    "missing = -equity after the book and the backstop; each class pays its part by losses of the positions, of its own fund (the treasury's part first), then of the shared fund, then of what other " +
    "classes may be assessed; then the other side closes the positions at the bankruptcy price within the band; what is left stands in the queue",
  settlement:
    "missing = -cash after settlement; each class pays its part by losses of what was settled, of its own fund (the treasury's part first), then of the shared fund, then of what other classes may be " +
    "assessed; what is left stands in the queue",
  queue:
    "missing = what the account has stood in the queue for; paid by funds as they receive, by class as when it was lost, or by the gains of a settlement that were cut for it",
  market:
    "missing = the account's claim on an ended market, as far as it was paid in this block by what that market's accounts had gained",
};

export function whyLost({ amount, cause, classes, lines }: LossReport): Explanation {
  return {
    rule: `${LOSS_RULES[cause]}; the lines sum to 0`,
    inputs: [
      ...quantities("quanta", { missing: amount }),
      ...quantities("quanta", named(classes, "part of class ")),
    ],
    results: quantities("quanta", named(lines, "")),
  };
}

type DeleverageReason = "bankrupt" | "unfilled";

export function deleverageReason({ wait }: { readonly wait: Wait | null }): DeleverageReason {
  return wait === null ? "bankrupt" : "unfilled";
}

const PRICE_RULES: Readonly<Record<DeleverageReason, string>> = {
  bankrupt:
    "price = mark -/+ the smaller of the distance at which the account is worth nothing and the band",
  unfilled:
    "waited >= wait, in which neither book nor bidders took what had to go, nor the backstop the rest; price = the worst that they were offered (liquidation), at which only the account's own money is spent",
};

const waitInputs = (wait: Wait | null) =>
  wait === null
    ? []
    : [...quantities("ns", { waited: wait.waitedNs }), ...quantities("ms", { wait: wait.waitMs })];

export function whyRound(report: RoundReport): Explanation {
  const { levelPpm } = report;
  return {
    rule:
      `${PRICE_RULES[deleverageReason(report)]}; the highest leverages are cut to one level L: ` +
      "sum of min(cap, max(0, lots - L x equity)) = needed, whole lots by rank, ties by account; cap = smaller of lots in scope, the share of a position while that is enough, and equity / loss per lot, down",
    inputs: [
      ...quantities("lots", { needed: report.neededLots, "on the side": report.sideLots }),
      ...quantities("", { accounts: report.accounts, scope: report.scope }),
      ...quantities("ticks", { mark: report.markTicks }),
      ...waitInputs(report.wait),
    ],
    results: [
      ...quantities("ticks", { price: report.priceTicks }),
      ...quantities("lots", { closed: report.closedLots }),
      ...quantities("ppm", {
        "leverage left at most": levelPpm === null ? "all closed" : levelPpm,
        "largest share of a position": report.largestSharePpm,
        concentration: report.concentrationPpm,
      }),
      ...quantities("", { "accounts closed": report.accountsClosed }),
      ...quantities("quanta", { "lost by them": report.loss }),
    ],
  };
}

export function whyDeleveraged(report: DeleverageReport): Explanation {
  return {
    rule: "what the round's level takes of this position (deleverage_round), at the round's price; pro rata would have been lots x smaller of needed and the side's lots / the side's lots, down",
    inputs: [
      ...quantities("ticks", { mark: report.markTicks, price: report.priceTicks }),
      ...quantities("lots", { "pro rata": report.proRataLots }),
      ...waitInputs(report.wait),
    ],
    results: [
      ...quantities("lots", { closed: report.lots }),
      ...quantities("quanta", { notional: report.notional }),
    ],
  };
}

export function whyCut(report: HaircutReport): Explanation {
  return {
    rule: "cut = gain x smaller of what the market misses and the cap of its gains / its gains, rounded down on the running sum; never more than the account is worth, nor than is still missing",
    inputs: [
      ...quantities("quanta", {
        gain: report.gain,
        "gains of the market": report.marketGains,
        "missing in the market": report.marketMissing,
      }),
      ...quantities("ppm", { cap: report.capPpm }),
    ],
    results: quantities("quanta", { kept: report.kept }),
  };
}
