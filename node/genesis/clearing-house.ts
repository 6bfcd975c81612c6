/**
 * The whole clearing house from the first block: what protects prices, what moves margin, which model judges portfolios, who bears losses and what
 * stops a market. Each is off on a chain whose authority has not decided on it.
 */
import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { defaultMarkTerms } from "@keel/modules/derivatives/marking/terms";
import { defaultOutage, defaultRules, defaultWithdrawalLimits } from "@keel/modules/guard/defaults";
import { DAY_MS } from "@keel/modules/guard/limits";
import { divFloor, maximum, minimum } from "@keel/modules/kit/math/mul-div";
import { defaultLadder } from "@keel/modules/margin/liquidation/terms";
import s35 from "@keel/modules/margin/portfolio/models/keel-s35.json" with { type: "json" };
import { defaultDynamicMargin } from "@keel/modules/margin/volatility/terms";
import { defaultGuard } from "@keel/modules/oracle/guard/terms";
import { MAX_AGE_MS_CEILING } from "@keel/modules/oracle/limits";
import type { MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { GenesisState as GuardGenesis } from "@keel/proto/gen/keel/guard/v1/genesis";
import type { Params as GuardParams } from "@keel/proto/gen/keel/guard/v1/types";
import type { Fund, Params as InsuranceParams } from "@keel/proto/gen/keel/insurance/v1/types";
import type { GenesisState as MarginGenesis } from "@keel/proto/gen/keel/margin/v1/genesis";
import type { Params as MarginParams } from "@keel/proto/gen/keel/margin/v1/types";
import type { FeedGuard } from "@keel/proto/gen/keel/oracle/v1/guard";

export interface ClearingHouse {
  /** Address whose key may tighten, and never loosen. */
  readonly emergencyKey: string;
  /** How long shares of an insurance fund wait, and bear losses, before they leave. */
  readonly noticeMs: bigint;
  /** A price that leaves its range stops the market for an auction. */
  readonly priceRanges: boolean;
}

/** Where it stands: one index, one market. */
export interface Site {
  readonly feedId: number;
  readonly marketId: number;
  readonly settlementDenom: string;
  /** Of a price. What takes as long as some blocks is longer by as much as this is longer than usual. */
  readonly maxAgeMs: bigint;
}

const RISK_CLASS = "btc";
const MAX_AGE_MS_USUAL = 5_000n;
/** What a million is at 60,000, in lots of 0.0001. */
const MILLION_LOTS = 166_667n;
/** An hour: long enough to find the others who decide. */
const EMERGENCY_MS = 3_600_000n;
const WHOLE_PPM = 1_000_000n;
/** Annual, 1e-18: of a calm year. What is measured takes over from there. */
const SEED_VOLATILITY = 450_000_000_000_000_000n;

function stretched(ms: bigint, { maxAgeMs }: Site, most: bigint): bigint {
  return minimum(most, divFloor(ms * maximum(maxAgeMs, MAX_AGE_MS_USUAL), MAX_AGE_MS_USUAL));
}

export function feedGuard(site: Site): FeedGuard {
  const guard = defaultGuard();
  const ms = (usual: bigint): bigint => stretched(usual, site, MAX_AGE_MS_CEILING);
  // Blocks that are further apart are fewer in the same time.
  const blocks = divFloor(BigInt(guard.slowLaneBlocks) * guard.meanTimeMs, ms(guard.meanTimeMs));
  return {
    ...guard,
    noWithdrawalsAgeMs: ms(guard.noWithdrawalsAgeMs),
    noLiquidationAgeMs: ms(guard.noLiquidationAgeMs),
    slowLaneBlocks: Number(maximum(1n, blocks)),
  };
}

/** Marked by a bounded median, and opened by an auction after a stop. A silence is the outage gate's affair. */
export function guardedTerms(): Pick<MarketTerms, "auction" | "mark"> {
  const matching = MatchingMode.MATCHING_MODE_CONTINUOUS;
  return {
    mark: defaultMarkTerms(),
    auction: { ...defaultAuctionTerms(), matching, interruptionMs: 0n },
  };
}

/** Everybody who is liquidated, and a market that nobody can pay for: settled after 50 blocks, at once when twice what its funds hold is missing. */
export function marginParams(): Pick<
  MarginParams,
  "ladder" | "marketGates" | "marketSettlement" | "shortfallFloor"
> {
  return {
    ladder: defaultLadder(),
    marketGates: true,
    marketSettlement: { afterBlocks: 50, atOncePpm: 2_000_000n },
    shortfallFloor: "100000000",
  };
}

/** Margin that follows volatility, and who bears losses. */
export function marginState({ feedId }: Site): Pick<MarginGenesis, "dynamicMargin" | "waterfall"> {
  return {
    dynamicMargin: [{ ...defaultDynamicMargin(feedId), seedVolatility: SEED_VOLATILITY }],
    waterfall: {
      feeds: [{ feedId, riskClass: RISK_CLASS }],
      // Half of a position, while that is enough; half of the gains of a settlement at most.
      deleverageSharePpm: 500_000,
      hedgesLast: true,
      gainsHaircutPpm: 500_000,
      stressMovesPpm: [],
      tail: undefined,
      openInterestPpm: 0,
    },
  };
}

/** ProtoJSON of the chain's own model. */
export const portfolioModelJson: object = s35;

/** A quarter of each loss is borne by what the protocol owns of a fund first; a quarter of a fund may go in an hour. */
export function insuranceParams({
  noticeMs,
}: ClearingHouse): Pick<InsuranceParams, "cooldownMs" | "firstLossPpm" | "drawCapPpm"> {
  return { cooldownMs: noticeMs, firstLossPpm: 250_000, drawCapPpm: 250_000 };
}

/** Half in the fund that all classes share, half in that of the market's class. */
export function funds(shared: Fund): Fund[] {
  const whole = BigInt(shared.balance);
  const part = (amount: bigint, riskClass: string): Fund => {
    const text = amount.toString();
    return { ...shared, riskClass, balance: text, funded: text };
  };
  const half = divFloor(whole, 2n);
  return [part(whole - half, ""), part(half, RISK_CLASS)];
}

export function guardParams(
  { emergencyKey }: ClearingHouse,
  site: Site,
): Omit<GuardParams, "authority"> {
  const outage = defaultOutage();
  return {
    emergencyKey,
    emergencyMaxMs: EMERGENCY_MS,
    emergencyRaiseMaxPpm: WHOLE_PPM,
    emergencyTotalMaxMs: 0n,
    outage: { ...outage, gapMs: stretched(outage.gapMs, site, DAY_MS) },
  };
}

export function guardState(
  { priceRanges }: ClearingHouse,
  { marketId, settlementDenom }: Site,
): Pick<GuardGenesis, "rules" | "velocities"> {
  const flows = defaultWithdrawalLimits().map((limit) => ({ limit, buckets: [] }));
  const rules = defaultRules(MILLION_LOTS);
  return {
    rules: [{ market: marketId, rules: priceRanges ? rules : { ...rules, ranges: [] } }],
    velocities: [{ denom: settlementDenom, flows }],
  };
}
