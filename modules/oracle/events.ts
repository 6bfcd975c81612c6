/** Events of oracle. Types and attribute names are documented in keel/oracle/v1/events.proto. */
import type { Feed, Surface, SurfaceParameters } from "@keel/proto/gen/keel/oracle/v1/types";
import type { WriteContext } from "../kit/context.ts";
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
