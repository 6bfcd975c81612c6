/** What oracle offers: prices with their freshness, the vote extension, and the block's update. */
import type { FeedWatch } from "@keel/proto/gen/keel/oracle/v1/guard";
import type { MsgOracleUpdate } from "@keel/proto/gen/keel/oracle/v1/tx";
import type {
  Feed,
  Params,
  Price,
  SurfaceVote,
  ValidatorReports,
} from "@keel/proto/gen/keel/oracle/v1/types";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { maximum } from "../kit/math/mul-div.ts";
import type { Aggregate, FeedResult, ValidatorVote } from "./aggregate.ts";
import { aggregate, nextEma } from "./aggregate.ts";
import { refuse } from "./errors.ts";
import { emitBelowQuorum, emitOutdated, emitPrice } from "./events.ts";
import type { PriceReport } from "./extension.ts";
import { decodeExtension, encodeExtension } from "./extension.ts";
import type { GuardKeeper } from "./guard/keeper.ts";
import { admitPrice, createGuardKeeper, minuteSigmaPpm } from "./guard/keeper.ts";
import type { PriceStage } from "./guard/ladder.ts";
import { stageOf } from "./guard/ladder.ts";
import { charge, chargesOf } from "./guard/standing.ts";
import { OUTDATED_AGES, OUTDATED_PARTS } from "./limits.ts";
import { createListKeeper, type ListKeeper, openList } from "./lists/keeper.ts";
import type { OraclePorts, OracleValidator } from "./ports.ts";
import { countReports, NO_REPORTS } from "./reports.ts";
import type { OracleState } from "./state.ts";
import {
  aggregateSurfaces,
  createSurfaceKeeper,
  outdateSurfaces,
  type SurfaceKeeper,
  withSurfaces,
  writeSurfaces,
} from "./surface/keeper.ts";
import { setValidators, validatorsAt } from "./validator-sets.ts";
import { votesOf } from "./votes.ts";

const NS_PER_MS = 1_000_000n;

/** Price = mantissa × 10^exponent. */
export interface FeedPrice {
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly confidence: bigint;
  readonly emaMantissa: bigint;
  /** Block time at which it was accepted. */
  readonly timeNs: bigint;
  readonly height: number;
  readonly reportingPowerPpm: bigint;
  /** Feed enabled and not older than its limit; it was accepted by more than two thirds of power. */
  readonly fresh: boolean;
  /** Of guarded feeds: what it still allows when it is not fresh, or in the slow lane; and the deviation of one minute's move, 0: not measured. */
  readonly stage?: PriceStage;
  readonly sigmaPpm?: bigint;
}

export interface OracleKeeper extends SurfaceKeeper, GuardKeeper, ListKeeper {
  /** undefined for an unknown feed or before the first price. */
  price(ctx: ReadContext, feedId: number): FeedPrice | undefined;
  isFresh(ctx: ReadContext, feedId: number): boolean;
  feed(ctx: ReadContext, feedId: number): Feed | undefined;
  /** By symbol or, when that is empty, by id. Throws ModuleError. */
  requireFeed(ctx: ReadContext, named: { readonly feedId: number; readonly symbol: string }): Feed;
  /** Ascending by id. */
  feeds(ctx: ReadContext): readonly Feed[];
  params(ctx: ReadContext): Params;
  reports(ctx: ReadContext): ValidatorReports;
  /** Bytes for ExtendVote: the given prices of enabled feeds, parameters of enabled surfaces, and as many of the transactions, by key, as fit. */
  extensionFor(
    ctx: ReadContext,
    prices: readonly PriceReport[],
    surfaces?: readonly SurfaceVote[],
    transactions?: readonly string[],
  ): Uint8Array;
  /** Null: acceptable. Otherwise why the bytes are malformed. For VerifyVoteExtension. */
  verifyExtension(bytes: Uint8Array): string | null;
  /** Null: the extended commit verifies for the height before the context's. For ProcessProposal. */
  verifyUpdate(ctx: ReadContext, extendedCommit: Uint8Array): string | null;
  /** Accepts the previous height's extended commit; returns how many feeds were updated. Throws ModuleError. */
  update(ctx: WriteContext, update: MsgOracleUpdate): number;
  /** Whether votes this much older than the proposer's clock are to be called outdated in transaction 0. */
  isOutdated(ctx: ReadContext, ageNs: bigint): boolean;
  /** The age, by another clock, from which a claim of that is taken. */
  outdatedFromNs(ctx: ReadContext): bigint;
  /** The set that signs from this height on: at InitChain, and after each change. */
  setValidators(
    ctx: WriteContext,
    fromHeight: number,
    validators: readonly OracleValidator[],
  ): void;
  validatorsAt(ctx: ReadContext, height: number): readonly OracleValidator[];
}

interface KnownPrice {
  readonly feed: Feed;
  readonly watch: FeedWatch | undefined;
  readonly timeNs: bigint;
  readonly height: number;
  readonly price: FeedPrice;
}

function priceAt(
  feed: Feed,
  last: Price,
  watch: FeedWatch | undefined,
  { timeNs, height }: { readonly timeNs: bigint; readonly height: number },
): FeedPrice {
  const age = timeNs - last.timeNs;
  const price = {
    mantissa: last.mantissa,
    exponent: feed.exponent,
    confidence: last.confidence,
    emaMantissa: last.emaMantissa,
    timeNs: last.timeNs,
    height: Number(last.height),
    reportingPowerPpm: last.reportingPowerPpm,
    fresh: feed.enabled && age <= feed.maxAgeMs * NS_PER_MS,
  };
  if (feed.guard === undefined) return price;
  const stage = stageOf(feed, watch, { ageNs: age, height }) as PriceStage;
  return { ...price, fresh: stage.level === "fresh", stage, sigmaPpm: minuteSigmaPpm(watch) };
}

// Every mark of a block asks. Records of state are immutable values: what follows from them and a time is remembered with them.
const knownPrices = new WeakMap<Price, KnownPrice>();

export function createKeeper(state: OracleState, ports: OraclePorts): OracleKeeper {
  function allFeeds(ctx: ReadContext): readonly Feed[] {
    const feeds: Feed[] = [];
    state.feeds.each(ctx, (_id, feed) => {
      feeds.push(feed);
    });
    return feeds;
  }

  function price(ctx: ReadContext, feedId: number): FeedPrice | undefined {
    const feed = state.feeds.get(ctx, feedId);
    const last = state.prices.get(ctx, feedId);
    if (feed === undefined || last === undefined) return undefined;
    const watch = feed.guard === undefined ? undefined : state.watches.get(ctx, feedId);
    const { timeNs, height } = ctx.header;
    const known = knownPrices.get(last);
    if (
      known?.feed === feed &&
      known.watch === watch &&
      known.timeNs === timeNs &&
      known.height === height
    ) {
      return known.price;
    }
    const price = priceAt(feed, last, watch, { timeNs, height });
    knownPrices.set(last, { feed, watch, timeNs, height, price });
    return price;
  }

  /** The set, and of each of its validators the vote. */
  function collectVotes(
    ctx: ReadContext,
    extendedCommit: Uint8Array,
  ): {
    readonly validators: readonly OracleValidator[];
    readonly votes: readonly ValidatorVote[];
  } {
    const height = ctx.header.height - 1;
    const validators = validatorsAt(ctx, state, height);
    const commit = ports.commits.verifyExtendedCommit(ctx, extendedCommit, validators);
    if ("refusal" in commit) throw refuse("badCommit", commit.refusal);
    if (commit.height !== height) {
      throw refuse("wrongHeight", `expected a commit of height ${height}, got ${commit.height}`);
    }
    return { validators, votes: votesOf(validators, commit.votes) };
  }

  function writePrice(ctx: WriteContext, result: FeedResult): boolean {
    const { feed, reportingPowerPpm } = result;
    if (result.price === null) {
      emitBelowQuorum(ctx, feed, reportingPowerPpm);
      return false;
    }
    if (!admitPrice(ctx, state, feed, result.price)) return false;
    const { mantissa, confidence } = result.price;
    const last = state.prices.get(ctx, feed.id);
    const { timeNs, height } = ctx.header;
    const emaTimeNs = state.params.require(ctx).emaTimeMs * NS_PER_MS;
    const previous =
      last === undefined ? undefined : { ema: last.emaMantissa, timeNs: last.timeNs };
    state.prices.set(ctx, feed.id, {
      feedId: feed.id,
      mantissa,
      confidence,
      emaMantissa: nextEma(previous, mantissa, { timeNs, emaTimeNs }),
      reportingPowerPpm,
      height: BigInt(height),
      timeNs,
    });
    emitPrice(ctx, feed, { mantissa, confidence, reportingPowerPpm });
    return true;
  }

  /** Prices stay known and stop being fresh; the moving averages begin anew with the next ones. */
  function outdatePrices(ctx: WriteContext): void {
    const known: Price[] = [];
    state.prices.each(ctx, (_id, last) => {
      known.push(last);
    });
    for (const last of known) state.prices.set(ctx, last.feedId, { ...last, timeNs: 0n });
    emitOutdated(ctx, known.length);
  }

  /** Of votes that a proposer calls outdated; 0: no feed is enabled. */
  function claimedAgeNs(ctx: ReadContext): bigint {
    let longestMs = 0n;
    for (const { enabled, maxAgeMs } of allFeeds(ctx))
      if (enabled) longestMs = maximum(longestMs, maxAgeMs);
    return OUTDATED_AGES * longestMs * NS_PER_MS;
  }

  return {
    ...createSurfaceKeeper(state),
    ...createGuardKeeper(state),
    ...createListKeeper(state),
    price,
    isFresh: (ctx, feedId) => price(ctx, feedId)?.fresh === true,
    feed: (ctx, feedId) => state.feeds.get(ctx, feedId),
    requireFeed(ctx, { feedId, symbol }) {
      const found = allFeeds(ctx).find((one) =>
        symbol === "" ? one.id === feedId : one.symbol === symbol,
      );
      if (found !== undefined) return found;
      const wanted = symbol === "" ? String(feedId) : symbol.slice(0, 50);
      throw refuse("unknownFeed", `there is no feed ${wanted}`);
    },
    feeds: allFeeds,
    params: (ctx) => state.params.require(ctx),
    reports: (ctx) => state.reports.get(ctx) ?? NO_REPORTS,

    extensionFor(ctx, prices, surfaces = [], transactions = []) {
      const wanted = prices.filter(
        ({ feedId, mantissa }) => mantissa > 0n && state.feeds.get(ctx, feedId)?.enabled === true,
      );
      const known = surfaces.filter(
        ({ surfaceId }) => state.surfaces.get(ctx, surfaceId)?.enabled === true,
      );
      return encodeExtension(wanted, known, transactions);
    },

    verifyExtension(bytes) {
      const decoded = decodeExtension(bytes);
      return "fault" in decoded ? decoded.fault : null;
    },

    verifyUpdate(ctx, extendedCommit) {
      const height = ctx.header.height - 1;
      const validators = validatorsAt(ctx, state, height);
      const commit = ports.commits.verifyExtendedCommit(ctx, extendedCommit, validators);
      if ("refusal" in commit) return commit.refusal;
      return commit.height === height
        ? null
        : `expected a commit of height ${height}, got ${commit.height}`;
    },

    update(ctx, { extendedCommit, outdated }) {
      const known = state.reports.get(ctx) ?? NO_REPORTS;
      const { height } = ctx.header;
      if (known.lastHeight === BigInt(height)) {
        throw refuse("wrongHeight", `height ${height} already had its oracle update`);
      }
      const { validators, votes } = collectVotes(ctx, extendedCommit);
      openList(ctx, state, votes);
      const result: Aggregate = aggregate(votes, allFeeds(ctx));
      const surfaces = aggregateSurfaces(ctx, state, votes);
      const quality = withSurfaces(result.quality, surfaces);
      const params = state.params.require(ctx);
      const windowBlocks = params.reportWindowBlocks;
      const counted = countReports(known, validators, quality, { height, windowBlocks });
      state.reports.set(ctx, counted.next);
      if (counted.window !== null && params.penaltyPpm > 0n) {
        const asked = BigInt(result.feeds.length + surfaces.length);
        const charges = chargesOf(counted.window, maximum(asked, 1n), params);
        charge(ctx, state, charges, { amountPpm: params.penaltyPpm, port: ports.penalties });
      }
      if (outdated) {
        outdatePrices(ctx);
        outdateSurfaces(ctx, state);
        return 0;
      }
      let updated = 0;
      for (const feed of result.feeds) if (writePrice(ctx, feed)) updated += 1;
      writeSurfaces(ctx, state, surfaces, price);
      return updated;
    },

    isOutdated(ctx, ageNs) {
      const fromNs = claimedAgeNs(ctx);
      return fromNs > 0n && ageNs > fromNs;
    },
    outdatedFromNs: (ctx) => claimedAgeNs(ctx) / OUTDATED_PARTS,

    setValidators: (ctx, fromHeight, validators) =>
      setValidators(ctx, state, fromHeight, validators),
    validatorsAt: (ctx, height) => validatorsAt(ctx, state, height),
  };
}
