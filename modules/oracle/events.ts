/** Events of oracle. Types and attribute names are documented in keel/oracle/v1/events.proto. */

import { bytesToHex } from "@keel/proto/bytes/hex";
import { type FeedWatch, RefusalReason } from "@keel/proto/gen/keel/oracle/v1/guard";
import type { Feed, Surface, SurfaceParameters } from "@keel/proto/gen/keel/oracle/v1/types";
import type { WriteContext } from "../kit/context.ts";
import { deviationPpm } from "./guard/breaker.ts";
import { priceText } from "./price-text.ts";

export function emitPrice(
  ctx: WriteContext,
  feed: Feed,
  price: {
    readonly mantissa: bigint;
    readonly confidence: bigint;
    readonly reportingPowerPpm: bigint;
  },
): void {
  ctx.emit("oracle_price", {
    feed: feed.symbol,
    price: priceText(price.mantissa, feed.exponent),
    confidence: priceText(price.confidence, feed.exponent),
    reporting_power_ppm: price.reportingPowerPpm.toString(),
  });
}

export function emitBelowQuorum(ctx: WriteContext, feed: Feed, reportingPowerPpm: bigint): void {
  ctx.emit("oracle_below_quorum", {
    feed: feed.symbol,
    reporting_power_ppm: reportingPowerPpm.toString(),
  });
}

export function emitOutdated(ctx: WriteContext, prices: number): void {
  ctx.emit("oracle_outdated", { prices: prices.toString() });
}

export function emitFeed(ctx: WriteContext, feed: Feed): void {
  ctx.emit("oracle_feed", { feed_id: feed.id.toString(), symbol: feed.symbol });
}

export function emitSurface(
  ctx: WriteContext,
  surface: Surface,
  parameters: SurfaceParameters,
  expiries: number,
): void {
  ctx.emit("oracle_surface", {
    surface: surface.symbol,
    rho_ppm: parameters.rhoPpm.toString(),
    eta_ppm: parameters.etaPpm.toString(),
    gamma_ppm: parameters.gammaPpm.toString(),
    expiries: expiries.toString(),
    reporting_power_ppm: parameters.reportingPowerPpm.toString(),
  });
}

export function emitSurfaceBelowQuorum(
  ctx: WriteContext,
  surface: Surface,
  reportingPowerPpm: bigint,
): void {
  ctx.emit("oracle_surface_below_quorum", {
    surface: surface.symbol,
    reporting_power_ppm: reportingPowerPpm.toString(),
  });
}

export function emitSurfaceListed(ctx: WriteContext, surface: Surface): void {
  ctx.emit("oracle_surface_listed", {
    surface_id: surface.id.toString(),
    symbol: surface.symbol,
  });
}

export function emitPriceRefused(
  ctx: WriteContext,
  feed: Feed,
  { refused, meanMantissa, confirmations }: FeedWatch,
  needed: number,
): void {
  if (refused === undefined) return;
  const breaks = refused.reason === RefusalReason.REFUSAL_REASON_BREAK;
  ctx.emit("oracle_price_refused", {
    feed: feed.symbol,
    reason: breaks ? "break" : "band",
    price: priceText(refused.mantissa, feed.exponent),
    measured_ppm: refused.measuredPpm.toString(),
    limit_ppm: refused.limitPpm.toString(),
    mean: priceText(meanMantissa, feed.exponent),
    confirmations: confirmations.toString(),
    confirmations_needed: needed.toString(),
  });
}

export function emitPriceConfirmed(
  ctx: WriteContext,
  feed: Feed,
  { confirmedMantissa, meanMantissa, confirmations }: FeedWatch,
): void {
  ctx.emit("oracle_price_confirmed", {
    feed: feed.symbol,
    price: priceText(confirmedMantissa, feed.exponent),
    mean: priceText(meanMantissa, feed.exponent),
    confirmations: confirmations.toString(),
  });
}

export function emitSlowLane(
  ctx: WriteContext,
  feed: Feed,
  change: { readonly slow: boolean; readonly mantissa: bigint; readonly mean: bigint },
): void {
  ctx.emit("oracle_slow_lane", {
    feed: feed.symbol,
    slow: String(change.slow),
    price: priceText(change.mantissa, feed.exponent),
    mean: priceText(change.mean, feed.exponent),
    measured_ppm: deviationPpm(change.mantissa, change.mean).toString(),
    limit_ppm: (feed.guard?.slowDeviationPpm ?? 0n).toString(),
  });
}

/** Count of what was named for this block's round. */
export function emitTransactionsMissing(ctx: WriteContext, missing: number): void {
  ctx.emit("oracle_transactions_missing", {
    proposer: ctx.header.proposer,
    missing: missing.toString(),
  });
}

/** What a validator is charged for, and by how much it is beyond what is allowed. */
export interface Charge {
  readonly address: Uint8Array;
  readonly reason: "misses" | "deviation";
  /** Rounded up, and the limit it is beyond. */
  readonly measuredPpm: bigint;
  readonly limitPpm: bigint;
}

export function emitPenalty(ctx: WriteContext, charge: Charge, penaltyPpm: bigint): void {
  ctx.emit("oracle_penalty", {
    validator: bytesToHex(charge.address),
    reason: charge.reason,
    measured_ppm: charge.measuredPpm.toString(),
    limit_ppm: charge.limitPpm.toString(),
    penalty_ppm: penaltyPpm.toString(),
  });
}
