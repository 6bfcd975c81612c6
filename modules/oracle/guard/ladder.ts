/**
 * How far a price may be relied on. A guarded feed goes down a ladder with age; one without a guard is fresh or stale. Each level says what it
 * still allows, so that whoever uses a price asks for what it does and not for ages.
 */
import type { FeedWatch } from "@keel/proto/gen/keel/oracle/v1/guard";
import type { Feed } from "@keel/proto/gen/keel/oracle/v1/types";

export type PriceLevel = "fresh" | "reduceOnly" | "noWithdrawals" | "stale";

export interface PriceStage {
  readonly level: PriceLevel;
  /** Positions may shrink, and accounts be judged, at it. */
  readonly reduces: boolean;
  readonly withdraws: boolean;
  readonly liquidates: boolean;
}

const LADDER: Readonly<Record<PriceLevel, PriceStage>> = {
  fresh: { level: "fresh", reduces: true, withdraws: true, liquidates: true },
  reduceOnly: { level: "reduceOnly", reduces: true, withdraws: true, liquidates: true },
  noWithdrawals: { level: "noWithdrawals", reduces: true, withdraws: false, liquidates: true },
  stale: { level: "stale", reduces: false, withdraws: false, liquidates: false },
};

/** The same without liquidations: blocks of the slow lane in which there are none. */
const WAITING: Readonly<Record<PriceLevel, PriceStage>> = {
  fresh: { ...LADDER.fresh, liquidates: false },
  reduceOnly: { ...LADDER.reduceOnly, liquidates: false },
  noWithdrawals: { ...LADDER.noWithdrawals, liquidates: false },
  stale: LADDER.stale,
};

const NS_PER_MS = 1_000_000n;

/** Of a guarded feed; undefined: it has none. While the breaker is open there is no price at all. */
export function stageOf(
  feed: Feed,
  watch: FeedWatch | undefined,
  now: { readonly ageNs: bigint; readonly height: number },
): PriceStage | undefined {
  const { guard, enabled, maxAgeMs } = feed;
  if (guard === undefined) return undefined;
  if (!enabled || (watch?.pendingMantissa ?? 0n) > 0n) return LADDER.stale;
  const { ageNs } = now;
  const level =
    ageNs <= maxAgeMs * NS_PER_MS
      ? "fresh"
      : ageNs <= guard.noWithdrawalsAgeMs * NS_PER_MS
        ? "reduceOnly"
        : ageNs <= guard.noLiquidationAgeMs * NS_PER_MS
          ? "noWithdrawals"
          : "stale";
  const waits = watch?.slow === true && now.height % guard.slowLaneBlocks !== 0;
  return (waits ? WAITING : LADDER)[level];
}
