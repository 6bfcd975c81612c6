/** What a rule set decides on the model. Policies are data and small pure functions; the venue does the rest for all of them alike. Money in settlement units, rates as shares. */

export type AdlRule = "water-filling" | "pro-rata" | "queue" | "profit-queue" | "random";

/** An account under water, as a policy sees it. */
export interface Sick {
  readonly equity: number;
  readonly maintenance: number;
  /** Without sign. */
  readonly notional: readonly number[];
  /** Milliseconds since it was first seen under water, and since something of it was last closed; 0 for never. */
  readonly sickMs: number;
  readonly restedMs: number;
  readonly partlyClosed: boolean;
}

/** To be closed at the book, no further from mark than this. */
export interface Close {
  readonly underlying: number;
  readonly notional: number;
  readonly limit: number;
}

/** Derive's: a slice of the whole account is sold with its margin, cheaper with time. */
export interface AuctionTerms {
  readonly bufferShare: number;
  readonly feeShare: number;
  /** Share of worth at which it begins, after the fast part, and how long both parts last. */
  readonly from: number;
  readonly slowFrom: number;
  readonly fastMs: number;
  readonly slowMs: number;
  readonly insolventMs: number;
}

export interface Rules {
  readonly name: string;
  readonly title: string;
  /** Requirement of one position, in settlement units. */
  initial(underlying: number, notional: number): number;
  maintenance(underlying: number, notional: number): number;
  /** Each position has its own margin and nothing else. */
  readonly isolated: boolean;
  /** Multiplies both requirements by measured volatility. */
  readonly dynamic: boolean;
  /** What is to be closed at the book now. */
  closes(sick: Sick): Close[];
  /** Of what was closed, to the fund; never more than what is left. */
  readonly penalty: number;
  /** What is left after a close belongs to the fund. */
  readonly seizes: boolean;
  /** Accounts worked on in a second. */
  readonly accountsPerSecond: number;
  /** All closes of ten seconds may take this share of what one percent of the book holds; null: no bound. */
  readonly flowShare: number | null;
  /** The vault takes over an account whose equity is below this share of maintenance; 0: there is none. */
  readonly backstopHealth: number;
  /** Its inventory is at most this many times its equity. */
  readonly backstopLeverage: number;
  readonly auction: AuctionTerms | null;
  /** Bankrupt accounts closed against others in a second. */
  readonly deleveragesPerSecond: number;
  /** What happens to what a bankrupt account still holds, and to what is missing then. */
  readonly bankrupt: AdlRule | "settle-market" | "haircut";
  /** At the price that brings the bankrupt to zero, within the band around mark; or at the last mark. */
  readonly adlPrice: "bankruptcy" | "last-mark";
  readonly adlBand: number;
  /** The fund is asked before the other side. */
  readonly fundFirst: boolean;
  /** While the book fills something of a bankrupt account, nobody else is closed against it. */
  readonly bookFirst: boolean;
  /** There is no fund but the vault. */
  readonly fundInVault: boolean;
}

/** Marginal rates by notional, as a requirement in settlement units. */
export function tiered(
  tiers: readonly (readonly [above: number, rate: number])[],
): (notional: number) => number {
  return (notional) => {
    let sum = 0;
    for (const [i, [above, rate]] of tiers.entries()) {
      const end = tiers[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
      sum += rate * Math.max(0, Math.min(notional, end) - above);
    }
    return sum;
  };
}

/** Everything that is held, at any price within reach. */
export function closeAll(sick: Sick, limit: number): Close[] {
  return sick.notional.flatMap((notional, underlying) =>
    notional > 0 ? [{ underlying, notional, limit }] : [],
  );
}

/** The larger requirement first, as much of each as brings equity to `target` times maintenance. */
export function closePartly(
  sick: Sick,
  terms: {
    readonly target: number;
    readonly costs: number;
    readonly least: number;
    limit(underlying: number): number;
    maintenance(underlying: number, notional: number): number;
  },
): Close[] {
  const order = sick.notional
    .map((notional, underlying) => ({ notional, underlying }))
    .filter(({ notional }) => notional > 0)
    .sort((a, b) => b.notional - a.notional || a.underlying - b.underlying);
  let missing = terms.target * sick.maintenance - sick.equity;
  const closes: Close[] = [];
  for (const { notional, underlying } of order) {
    if (missing <= 0) break;
    const rate = terms.maintenance(underlying, notional) / notional;
    const freed = terms.target * rate - terms.costs;
    const wanted = sick.equity < 0 || freed <= 0 ? notional : missing / freed;
    const taken = notional - wanted < terms.least ? notional : Math.max(wanted, terms.least);
    closes.push({ underlying, notional: taken, limit: terms.limit(underlying) });
    missing -= taken * freed;
  }
  return closes;
}
