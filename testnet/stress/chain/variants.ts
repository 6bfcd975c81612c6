/** Keel as recommended on the real modules, and beside it what one choice of the modules' own parameters changes. */
import { defaultLadder } from "@keel/modules/margin/liquidation/terms";
import { defaultDynamicMargin } from "@keel/modules/margin/volatility/terms";
import type { DynamicMargin } from "@keel/proto/gen/keel/margin/v1/dynamic";
import type { LadderTerms } from "@keel/proto/gen/keel/margin/v1/ladder";
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import { FEEDS, VOLATILITY_FEED } from "./markets.ts";
import type { ChainVariant } from "./world.ts";

const CALM = 5n * 10n ** 17n;
const NERVOUS = 10n ** 18n;

/** Margin that follows volatility on both underlyings, after calm weeks or nervous ones. */
export function dynamicOfAll(seedVolatility: bigint = CALM): DynamicMargin[] {
  return FEEDS.map((feedId) => ({ ...defaultDynamicMargin(feedId), seedVolatility }));
}

export interface NamedVariant {
  /** Variants are read within their group, against the recommended. */
  readonly group: string;
  readonly title: string;
  /** `vault`: settlement units. */
  of(vault: number): ChainVariant;
}

/** The ladder, margin that follows volatility, the vault as backstop, hedges deleveraged last, and the guard. */
function recommended(vault: number): ChainVariant {
  return {
    ...{ vault, brakes: "suggested", dynamic: dynamicOfAll() },
    margin: { ladder: defaultLadder() },
    waterfall: { hedgesLast: true },
  };
}

function changed(
  group: string,
  title: string,
  change: (vault: number) => Partial<ChainVariant>,
): NamedVariant {
  return { group, title, of: (vault) => ({ ...recommended(vault), ...change(vault) }) };
}

const ladder = (change: Partial<LadderTerms>, params: Partial<Params> = {}) => ({
  margin: { ladder: { ...defaultLadder(), ...change }, ...params },
});
/** As far as ten times maintenance, which is everything. */
const WHOLE = { liquidationTargetPpm: 10_000_000n };

/** A half of how far quoted volatility lies above the measured one, at most 30 %. */
const FORWARD = {
  ...{ impliedFeedId: VOLATILITY_FEED, impliedWeightPpm: 500_000n },
  ...{ widthFreePpm: 0n, widthWeightPpm: 0n, riseMaxPpm: 300_000n },
};

/** Quanta: 100 units. */
const FLOOR = "100000000";

/** What is run with all accounts, and what variants are read against. */
export const RECOMMENDED_VARIANT = "keel";

export const VARIANTS: Readonly<Record<string, NamedVariant>> = {
  keel: { group: "recommended", title: "as recommended", of: recommended },
  unthrottled: changed("what is closed", "partly, not throttled by depth", () =>
    ladder({ flowPpm: 0n }),
  ),
  whole: changed("what is closed", "whole accounts, not throttled", () =>
    ladder({ flowPpm: 0n }, WHOLE),
  ),
  "one-key": changed("when", "at the marks alone", () => ladder({ averageMs: 0n })),
  "no-auction": changed("what the book leaves", "no auction", () => ladder({ offerWindowMs: 0n })),
  "no-bidders": changed("what the book leaves", "an auction to which nobody comes", () => ({
    withoutBidders: true,
  })),
  "fixed-penalty": changed("penalty", "1 % of what is closed", () =>
    ladder({ penalty: undefined }),
  ),
  "no-ladder": changed("the ladder", "without it: 5 million a block at most", () => ({
    margin: {},
  })),
  "no-vault": changed("backstop", "none, all capital in the fund", (vault) => ({
    ...{ vault: 0, moreFund: vault },
  })),
  "fixed-margin": changed("margin", "fixed", () => ({ dynamic: [] })),
  forward: changed("margin", "follows quoted volatility, too", () => ({
    dynamic: dynamicOfAll().map((terms) => ({ ...terms, forward: FORWARD })),
  })),
  nervous: changed("margin, after nervous weeks", "follows volatility", () => ({
    dynamic: dynamicOfAll(NERVOUS),
  })),
  ends: changed("what nobody bears", "its market is settled after 20 blocks", () =>
    ladder({}, { marketSettlement: { afterBlocks: 20, atOncePpm: 0n }, shortfallFloor: FLOOR }),
  ),
  "any-hedges": changed("who is deleveraged", "hedges like everything else", () => ({
    waterfall: {},
  })),
  halves: changed("who is deleveraged", "half of a position while that is enough", () => ({
    waterfall: { hedgesLast: true, deleverageSharePpm: 500_000 },
  })),
  "draw-cap": changed("the fund", "a quarter of it an hour at most", () => ({
    drawCapPpm: 250_000,
  })),
  "narrow-ranges": changed("brakes", "ranges of deviations alone", () => ({ brakes: "narrow" })),
  "no-ranges": changed("brakes", "all but the ranges", () => ({ brakes: "no-ranges" })),
  "no-brakes": changed("brakes", "none", () => ({ brakes: undefined })),
};
