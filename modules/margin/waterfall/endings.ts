/**
 * When a loss that nobody bears ends its market. At the end of each block, the queue drawn up: a market that is short of the floor stops trading, so that no gain leaves
 * it; it goes on when what was missing was paid; and it is settled when the loss has stood for long enough, or is beyond what its funds hold. Who bears it
 * then: ending-shares.ts.
 */
import type { MarketEnding } from "@keel/proto/gen/keel/margin/v1/settlement";
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { PPM } from "../../kit/math/mul-div.ts";
import { contained } from "../contained.ts";
import { maintenanceHealth, positionValue } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { InsurancePort, MarketId, MarketsPort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import {
  type Burden,
  burdenOf,
  knownLosses,
  type Loss,
  ownBurden,
  shortfallFloor,
  shortMarkets,
  splitByMarket,
} from "./attribution.ts";
import type { RiskClasses } from "./classes.ts";
import type { Deleveraging } from "./deleverage.ts";
import { type Due, emitEnded, emitResumed, emitSuspended, type Short } from "./ending-events.ts";

export interface Endings {
  /** After the deficit queue and whose losses are what was drawn up. `tried`: for whom funds and deleveraging have done what they can in this block. */
  watch(ctx: WriteContext, views: MarketViews, tried: ReadonlySet<AccountId>): void;
}

/** How long deleveraging may take with what it can bear within the band: so many of them a block are closed, and who is not then is not going to be. */
const DELEVERAGING_PATIENCE_NS = 5_000_000_000n;

/** Blocks for which a market that is due waits for others, beyond its own. */
const WAITING_BLOCKS_MAX = 50;

const BEARS_NONE = (): boolean => false;

interface Stuck {
  readonly stuck: ReadonlyMap<MarketId, bigint>;
  /** Of some accounts funds or deleveraging may still bear it all. */
  readonly waiting: boolean;
}

/** A loss has ended the market, and it is not settled yet. */
export function hasEnded(ctx: ReadContext, { waterfall }: MarginState, market: MarketId): boolean {
  if (waterfall.endings.size(ctx) === 0) return false;
  return (waterfall.endings.get(ctx, market)?.endedHeight ?? 0n) > 0n;
}

export function createEndings(parts: {
  readonly state: MarginState;
  readonly markets: MarketsPort;
  readonly insurance: Pick<InsurancePort, "available" | "fundBalance">;
  readonly classes: RiskClasses;
  readonly deleveraging: Pick<Deleveraging, "bearable">;
}): Endings {
  const { state, markets, insurance, classes, deleveraging } = parts;
  const { endings } = state.waterfall;

  /** Of what the queue misses in each market, what nothing but its end will bear. */
  function stuckIn(ctx: ReadContext, views: MarketViews, tried: ReadonlySet<AccountId>): Stuck {
    let waiting = false;
    const stuck = new Map<MarketId, bigint>();
    state.deficits.each(ctx, (id, { shortfall, sinceNs }) => {
      const parts = splitByMarket(shortfall, knownLosses(ctx, state, id));
      const young = ctx.header.timeNs - sinceNs < DELEVERAGING_PATIENCE_NS;
      const paid = !tried.has(id) && mayBePaid(ctx, id, parts, views);
      const bears = young || !tried.has(id) ? bearing(ctx, id, shortfall, views) : BEARS_NONE;
      for (const { amount, market } of parts) {
        if (paid || bears(market)) waiting = true;
        else stuck.set(market, (stuck.get(market) ?? 0n) + amount);
      }
    });
    return { stuck, waiting };
  }

  /**
   * In which markets deleveraging within the band may still bear what an account misses: in all, where all that can be closed bears it together; otherwise where one bears
   * what belongs to it.
   */
  function bearing(
    ctx: ReadContext,
    id: AccountId,
    missing: bigint,
    views: MarketViews,
  ): (market: MarketId) => boolean {
    const account = state.accounts.get(ctx, id);
    if (account === undefined) return BEARS_NONE;
    const short = { id, account, missing };
    const all = burdenOf(ctx, state, short, views);
    const bears = (burden: Burden) =>
      burden.markets.length > 0 &&
      burden.markets.every((market) => deleveraging.bearable(ctx, id, market, burden, views));
    if (bears(all)) return () => true;
    return (market) =>
      all.markets.includes(market) && bears(ownBurden(ctx, state, short, market, views));
  }

  /** It has had no turn yet, and the funds have something for when it has. */
  function mayBePaid(
    ctx: ReadContext,
    id: AccountId,
    lost: readonly Loss[],
    views: MarketViews,
  ): boolean {
    const account = state.accounts.get(ctx, id);
    const holds = account?.positions.some(({ lots }) => lots !== 0n) ?? false;
    if (account === undefined || !holds || maintenanceHealth(account, views) === null) return false;
    const { settlementDenom: denom } = state.params.require(ctx);
    return lost.some(({ market }) => insurance.available(ctx, denom, classes.of(ctx, market)) > 0n);
  }

  function heldFor(ctx: ReadContext, market: MarketId): bigint {
    const { settlementDenom: denom } = state.params.require(ctx);
    const riskClass = classes.of(ctx, market);
    const shared = insurance.fundBalance(ctx, denom, "");
    return riskClass === "" ? shared : shared + insurance.fundBalance(ctx, denom, riskClass);
  }

  function lift(
    ctx: WriteContext,
    market: MarketId,
    missing: bigint,
    why: { readonly reason: "covered" | "off"; readonly floor: bigint },
  ): void {
    endings.delete(ctx, market);
    markets.stop(ctx, market, false);
    emitResumed(ctx, markets.terms(ctx, market)?.symbol ?? `${market}`, missing, why);
  }

  /** It has expired with the loss open: it is settled as it would be, and the loss shared as of any ended market, unless a sweep has it already. */
  function expired(ctx: WriteContext, ending: MarketEnding): void {
    const { market } = ending;
    if (state.sweepMarkets.has(ctx, market)) {
      if (endings.has(ctx, market)) endings.delete(ctx, market);
    } else endings.set(ctx, market, { ...ending, endedHeight: BigInt(ctx.header.height) });
  }

  function shortOf(ctx: ReadContext, market: MarketId, missing: bigint, floor: bigint): Short {
    const symbol = markets.terms(ctx, market)?.symbol ?? `${market}`;
    return { market: symbol, missing, floor, held: heldFor(ctx, market) };
  }

  /** Why it ends now; null: not yet. */
  function dueOf(ctx: ReadContext, { sinceHeight }: MarketEnding, short: Short): Due | null {
    const { marketSettlement: terms } = state.params.require(ctx);
    if (terms === undefined) return null;
    if (terms.atOncePpm > 0n && short.missing * PPM > short.held * terms.atOncePpm) return "size";
    const age = BigInt(ctx.header.height) - sinceHeight;
    return age >= BigInt(terms.afterBlocks) ? "age" : null;
  }

  function latest(ctx: ReadContext): bigint {
    const { afterBlocks = 0 } = state.params.require(ctx).marketSettlement ?? {};
    return BigInt(afterBlocks + WAITING_BLOCKS_MAX);
  }

  /** Lots of those below zero that stand at a loss in it, long positive; where these are out already, of those who have not gained. */
  function sunkLots(ctx: ReadContext, market: MarketId, views: MarketViews): bigint {
    const view = views(market);
    let sunk = 0n;
    let gained = 0n;
    if (view === undefined) return sunk;
    state.active.each(ctx, (id) => {
      const held = state.accounts.get(ctx, id)?.positions ?? [];
      const position = held.find((one) => one.market === market && one.lots !== 0n);
      const value = position === undefined ? 0n : positionValue(position, view);
      if (position === undefined) return;
      if (value > 0n) gained += position.lots > 0n ? value : -value;
      if (value < 0n && state.deficits.has(ctx, id)) sunk += position.lots;
    });
    return sunk === 0n ? -gained : sunk;
  }

  function endNow(
    ctx: WriteContext,
    ending: MarketEnding,
    views: MarketViews,
    { reason, short }: { readonly reason: Due; readonly short: Short },
  ): void {
    const { marketSettlement: terms } = state.params.require(ctx);
    const { market, sinceHeight } = ending;
    contained(ctx, markets, market, (step) => {
      const lots = sunkLots(step, market, views);
      const end = terms === undefined ? null : markets.end(step, market);
      if (terms === undefined || end === null) return;
      const endedHeight = BigInt(ctx.header.height);
      endings.set(step, market, { ...ending, endedHeight, sunkLots: `${lots}` });
      emitEnded(step, short, { terms, ...end, reason, sinceHeight });
    });
  }

  /** When one is due, all that are stopped end with it, as far as their prices allow: who has lost in the one may have gained in the other. */
  function endDue(
    ctx: WriteContext,
    views: MarketViews,
    found: {
      readonly missing: ReadonlyMap<MarketId, bigint>;
      readonly floor: bigint;
      readonly waiting: boolean;
    },
  ): void {
    const { floor, missing, waiting } = found;
    const stopped: MarketEnding[] = [];
    endings.each(ctx, (_market, ending) => void (ending.endedHeight > 0n || stopped.push(ending)));
    const shorts = stopped.map((ending) =>
      shortOf(ctx, ending.market, missing.get(ending.market) ?? 0n, floor),
    );
    const dues = stopped.map((ending, i) => dueOf(ctx, ending, shorts[i] as Short));
    if (dues.every((due) => due === null)) return;
    // What deleveraging does not bear after all belongs to the same end, as long as that comes in time.
    const height = BigInt(ctx.header.height);
    const soon = stopped.every(({ sinceHeight }) => height - sinceHeight < latest(ctx));
    if (waiting && soon) return;
    for (const [i, ending] of stopped.entries()) {
      const short = shorts[i] as Short;
      endNow(ctx, ending, views, { reason: dues[i] ?? "together", short });
    }
  }

  function look(ctx: WriteContext, market: MarketId, missing: bigint, floor: bigint): void {
    const known = endings.get(ctx, market);
    if (known !== undefined && known.endedHeight > 0n) return;
    const terms = markets.terms(ctx, market);
    if (terms === undefined || terms.status === "settled") {
      // Gone, with what its gains may be cut by: what is left is the funds' later income.
      if (known !== undefined) endings.delete(ctx, market);
      return;
    }
    if (missing < floor) {
      if (known !== undefined) lift(ctx, market, missing, { reason: "covered", floor });
      return;
    }
    let ending = known;
    if (ending === undefined) {
      ending = {
        market,
        sinceHeight: BigInt(ctx.header.height),
        missing: `${missing}`,
        endedHeight: 0n,
        sunkLots: "0",
        sharing: false,
        loss: "0",
        after: new Uint8Array(0),
        claims: [],
      };
    }
    if (terms.status === "settling") return expired(ctx, ending);
    if (known === undefined) {
      endings.set(ctx, market, ending);
      markets.stop(ctx, market, true);
      emitSuspended(ctx, shortOf(ctx, market, missing, floor));
    }
  }

  return {
    watch(ctx, views, tried) {
      const on = state.params.require(ctx).marketSettlement !== undefined;
      if (endings.size(ctx) === 0 && (!on || state.deficits.size(ctx) === 0)) return;
      const pending: MarketId[] = [];
      endings.each(
        ctx,
        (market, { endedHeight }) => void (endedHeight > 0n || pending.push(market)),
      );
      const { missing } = shortMarkets(ctx, state);
      const floor = shortfallFloor(ctx, state);
      if (!on) {
        const why = { reason: "off", floor } as const;
        for (const market of pending) lift(ctx, market, missing.get(market) ?? 0n, why);
        return;
      }
      const { stuck, waiting } = stuckIn(ctx, views, tried);
      const all = [...new Set([...missing.keys(), ...pending])].sort((a, b) => a - b);
      for (const market of all) {
        const fresh = (stuck.get(market) ?? 0n) < floor && !endings.has(ctx, market);
        if (!fresh) look(ctx, market, missing.get(market) ?? 0n, floor);
      }
      endDue(ctx, views, { missing, floor, waiting });
    },
  };
}
