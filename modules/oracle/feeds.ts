/** Feeds and parameters as data: defaults and what is refused. */
import type { Feed, Params } from "@keel/proto/gen/keel/oracle/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { divFloor, PPM } from "../kit/math/mul-div.ts";
import { refuse } from "./errors.ts";
import { emitFeed } from "./events.ts";
import { forgetWatch } from "./guard/keeper.ts";
import { guardFault } from "./guard/terms.ts";
import {
  EXPONENT_MAX,
  EXPONENT_MIN,
  EXTENSION_BYTES_MAX,
  FEED_VOTE_BYTES_MAX,
  FEEDS_MAX,
  MAX_AGE_MS_CEILING,
  SURFACE_VOTE_BYTES_MAX,
  SYMBOL_LENGTH_MAX,
} from "./limits.ts";
import type { OracleState } from "./state.ts";

export const SYMBOL: RegExp = /^[A-Z0-9][A-Z0-9./-]*$/;

export function defaultParams(): Params {
  return {
    // Empty until genesis fills in the governance account.
    authority: "",
    // 30 s: smooths single bad medians, follows a real move within a minute.
    emaTimeMs: 30_000n,
    reportWindowBlocks: 10_000n,
    // Nobody is charged.
    missMaxPpm: 0n,
    deviantMaxPpm: 0n,
    penaltyPpm: 0n,
  };
}

/** 5 s of age, more than two thirds of power, 1 % of deviation. */
export function defaultFeed(feed: {
  readonly id: number;
  readonly symbol: string;
  readonly exponent: number;
}): Feed {
  return {
    ...feed,
    maxAgeMs: 5_000n,
    minReportingPowerPpm: 666_667n,
    maxDeviationPpm: 10_000n,
    enabled: true,
    guard: undefined,
  };
}

export function validateParams(params: Params, addresses: Addresses): void {
  if (params.authority !== "") addresses.parse(params.authority);
  if (params.emaTimeMs > MAX_AGE_MS_CEILING) {
    throw refuse("invalidRequest", "expected a moving average of at most a day");
  }
  if (params.reportWindowBlocks < 1n || params.reportWindowBlocks > 1_000_000n) {
    throw refuse("invalidRequest", "expected a report window of 1 to 1000000 blocks");
  }
  // Deviant votes are counted per feed, so there may be several in a block.
  if (params.missMaxPpm > PPM || params.deviantMaxPpm > BigInt(FEEDS_MAX) * PPM) {
    throw refuse("invalidRequest", "expected a limit of misses within 100 %");
  }
  if (params.penaltyPpm > PPM) throw refuse("invalidRequest", "expected a penalty within 100 %");
}

export function validateFeed(feed: Feed): void {
  const bad = (message: string): never => {
    throw refuse("invalidRequest", `feed ${feed.id}: ${message}`);
  };
  if (feed.id < 1) bad("expected an id of at least 1");
  if (feed.symbol.length > SYMBOL_LENGTH_MAX || !SYMBOL.test(feed.symbol)) {
    bad(`expected a symbol, got "${feed.symbol.slice(0, 50)}"`);
  }
  if (feed.exponent < EXPONENT_MIN || feed.exponent > EXPONENT_MAX) {
    bad(`expected an exponent of ${EXPONENT_MIN} to ${EXPONENT_MAX}, got ${feed.exponent}`);
  }
  if (feed.maxAgeMs < 1n || feed.maxAgeMs > MAX_AGE_MS_CEILING) {
    bad(`expected a maximum age of 1 to ${MAX_AGE_MS_CEILING} ms, got ${feed.maxAgeMs}`);
  }
  if (feed.minReportingPowerPpm > PPM) bad("expected a reporting power of at most 100 %");
  if (feed.maxDeviationPpm < 1n || feed.maxDeviationPpm > PPM) {
    bad("expected a deviation of at most 100 %");
  }
  const fault = feed.guard === undefined ? null : guardFault(feed.guard, feed.maxAgeMs);
  if (fault !== null) bad(`guard: ${fault}`);
}

/** So many always fit an extension beside that many surfaces. */
export function feedsMax(surfaces: number): number {
  const room = BigInt(EXTENSION_BYTES_MAX - surfaces * SURFACE_VOTE_BYTES_MAX);
  const fit = Number(divFloor(room, BigInt(FEED_VOTE_BYTES_MAX)));
  return fit < FEEDS_MAX ? fit : FEEDS_MAX;
}

/** Adds or replaces. Id, symbol and exponent of a known feed stay: stored prices and markets rely on them. */
export function putFeed(ctx: WriteContext, state: OracleState, feed: Feed): void {
  validateFeed(feed);
  const known = state.feeds.get(ctx, feed.id);
  if (known === undefined) {
    const most = feedsMax(state.surfaces.size(ctx));
    if (state.feeds.size(ctx) >= most) {
      throw refuse("tooManyFeeds", `expected at most ${most} feeds`);
    }
    requireUnusedSymbol(ctx, state, feed.symbol);
  } else if (known.symbol !== feed.symbol || known.exponent !== feed.exponent) {
    throw refuse("invalidRequest", `feed ${feed.id} is ${known.symbol}e${known.exponent} for good`);
  }
  state.feeds.set(ctx, feed.id, feed);
  if (feed.guard === undefined) forgetWatch(ctx, state, feed.id);
  emitFeed(ctx, feed);
}

function requireUnusedSymbol(ctx: ReadContext, state: OracleState, symbol: string): void {
  state.feeds.each(ctx, (id, feed) => {
    if (feed.symbol === symbol) {
      throw refuse("invalidRequest", `symbol ${symbol} belongs to feed ${id}`);
    }
  });
}
