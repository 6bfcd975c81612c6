/**
 * How a portfolio is made smaller: not leg by leg, but by the slice that releases most of the maintenance requirement for what is closed. A slice is a part of one
 * leg, or two legs together where each alone hedges the other. None that raises the worst scenario loss is considered, and one that did by the way the book filled it is
 * undone.
 */
import type { AccountId } from "../../kit/account-id.ts";
import { atomically } from "../../kit/atomically.ts";
import type { WriteContext } from "../../kit/context.ts";
import {
  absolute,
  divCeil,
  divFloor,
  minimum,
  mulDivDown,
  mulDivUp,
  PPM,
} from "../../kit/math/mul-div.ts";
import type { Account, Position } from "../account-codec.ts";
import { contained } from "../contained.ts";
import { isClosable, type MarketViews, type ModelledMarkets } from "../health/market-view.ts";
import { portfolioRisk } from "../portfolio/account.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { Closing, LiquidationBudget } from "./closing.ts";
import { emitSlice } from "./events.ts";
import { type AccountFigures, targetEquity } from "./liquidation-math.ts";

/** Legs that are weighed against each other, the largest first: 24 parts of one, and 15 pairs as they match and whole. */
const LEGS_MAX = 6;
/** Of each leg alone: all of it, and less. A part can release more for its size, where the whole would leave what it hedges bare. */
const PARTS: readonly bigint[] = [1n, 2n, 4n, 8n];
/** Quanta by which two requirements may differ for being rounded up: what is better by no more is as good, and the larger slice came first. */
const ROUNDING = 4n;
/** Slices of one account in one block. */
const SLICES_MAX = 4;

export interface Leg {
  readonly market: MarketId;
  /** Positive. */
  readonly lots: bigint;
}

export interface Slice {
  readonly legs: readonly Leg[];
  /** Quanta: notional closed, maintenance released, and the worst scenario loss that is left. */
  readonly notional: bigint;
  readonly released: bigint;
  readonly loss: bigint;
}

export interface Slices {
  /** Closes slices until the account is at its target or the book takes no more. False: there is no ladder, or no slice that releases anything. */
  reduce(ctx: WriteContext, id: AccountId, budget: LiquidationBudget): boolean;
}

/** The account after lots were closed at mark. */
function without(account: Account, legs: readonly Leg[]): Account {
  const positions = account.positions.map((position): Position => {
    const leg = legs.find(({ market }) => market === position.market);
    if (leg === undefined) return position;
    const closed = position.lots > 0n ? leg.lots : -leg.lots;
    return { ...position, lots: position.lots - closed };
  });
  return { ...account, positions };
}

/** What releases most per notional; then fewer legs, then in the order of markets and parts. Null: nothing releases anything. */
export function bestSlice(account: Account, views: MarketViews): Slice | null {
  const before = portfolioRisk(account, views);
  const held: (Leg & { readonly notional: bigint; readonly perLot: bigint })[] = [];
  for (const { market, lots } of account.positions) {
    const view = views(market);
    if (lots === 0n || !isClosable(view) || view.notionalPerLot <= 0n) continue;
    const perLot = view.notionalPerLot;
    held.push({ market, lots: absolute(lots), notional: absolute(lots) * perLot, perLot });
  }
  held.sort((a, b) =>
    a.notional === b.notional ? a.market - b.market : a.notional > b.notional ? -1 : 1,
  );
  const legs = held.slice(0, LEGS_MAX).sort((a, b) => a.market - b.market);
  let best: Slice | null = null;
  const weigh = (candidate: readonly Leg[], notional: bigint): void => {
    const { loss, maintenance } = portfolioRisk(without(account, candidate), views);
    const released = before.maintenance - maintenance;
    if (released <= 0n || loss > before.loss) return;
    const worth = released - ROUNDING;
    if (best !== null && worth * best.notional <= best.released * notional) return;
    best = { legs: candidate, notional, released, loss };
  };
  for (const { lots, market, perLot } of legs) {
    for (const part of PARTS) {
      const some = divFloor(lots, part);
      if (some > 0n) weigh([{ market, lots: some }], some * perLot);
    }
  }
  for (const [i, one] of legs.entries()) {
    for (const other of legs.slice(i + 1)) {
      const matched = minimum(one.notional, other.notional);
      // Rounded up: what hedges less than a lot of the other must not be what is left.
      const pair = [one, other].map(({ lots, market, perLot }) => ({
        market,
        lots: minimum(divCeil(matched, perLot), lots),
      }));
      const notional = pair.reduce(
        (sum, { lots }, at) => sum + lots * (at === 0 ? one : other).perLot,
        0n,
      );
      weigh(pair, notional);
      if (notional < one.notional + other.notional) {
        weigh(
          [one, other].map(({ lots, market }) => ({ market, lots })),
          one.notional + other.notional,
        );
      }
    }
  }
  return best;
}

/** What of a slice brings equity to the target: as of a position, x = (t·M − E) / (t·released − costs), rounded up and at most all of it. */
export function partOfSlice(
  slice: Slice,
  health: AccountFigures,
  rates: { readonly targetPpm: bigint; readonly costsPpm: bigint; readonly notionalMin: bigint },
): readonly Leg[] {
  const needed = (targetEquity(health.maintenance, rates.targetPpm) - health.equity) * PPM;
  const released = rates.targetPpm * slice.released - rates.costsPpm * slice.notional;
  if (health.equity < 0n || released <= 0n || needed >= released) return slice.legs;
  return slice.legs.map(({ lots, market }) => {
    const least = mulDivUp(lots, rates.notionalMin, slice.notional);
    const part = mulDivUp(lots, needed, released);
    return { market, lots: minimum(lots, part > least ? part : least) };
  });
}

/** The book filled the legs unevenly. */
class Riskier extends Error {}

export function createSlices(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly closing: Closing;
  readonly name: (id: AccountId) => string;
}): Slices {
  const { closing, markets, name, state } = parts;

  /** False: the book takes nothing of it. */
  function execute(
    ctx: WriteContext,
    id: AccountId,
    legs: readonly Leg[],
    budget: LiquidationBudget,
  ): boolean {
    const start = closing.load(ctx, id);
    const before = portfolioRisk(start.account, start.views);
    const closed: { market: string; lots: bigint }[] = [];
    let notional = 0n;
    let sound = true;
    let part = { filled: 1n, wanted: 1n };
    for (const { lots, market } of legs) {
      // The second leg as far as the first was filled.
      const wanted = mulDivDown(lots, part.filled, part.wanted);
      if (wanted === 0n) break;
      let filled = 0n;
      sound &&= contained(ctx, markets, market, (step) => {
        const clip = closing.clip(step, id, market, budget, wanted);
        if (clip === null) return;
        filled = closing.atBook(step, id, clip, budget);
        if (filled === 0n) return;
        closed.push({ market: clip.view.terms.symbol, lots: filled });
        notional += filled * clip.view.notionalPerLot;
      });
      part = { filled, wanted };
    }
    if (closed.length === 0) return false;
    const { account, views } = closing.load(ctx, id);
    const after = portfolioRisk(account, views);
    const riskier = after.loss > before.loss || after.maintenance > before.maintenance;
    if (sound && riskier) throw new Riskier();
    emitSlice(ctx, {
      account: name(id),
      legs: closed,
      released: before.maintenance - after.maintenance,
      notional,
      lossBefore: before.loss,
      lossAfter: after.loss,
      maintenanceBefore: before.maintenance,
    });
    return true;
  }

  /** Null: nothing is left to do, or no slice releases anything. */
  function next(ctx: WriteContext, id: AccountId): readonly Leg[] | null {
    const params = state.params.require(ctx);
    const { account, health, views } = closing.load(ctx, id);
    if (health === null) return null;
    if (health.equity >= targetEquity(health.maintenance, params.liquidationTargetPpm)) return null;
    const slice = bestSlice(account, views);
    if (slice === null) return null;
    const penaltyPpm = params.ladder?.penalty?.basePpm ?? params.liquidationPenaltyPpm;
    return partOfSlice(slice, health, {
      targetPpm: params.liquidationTargetPpm,
      costsPpm: params.liquidationSlippagePpm + penaltyPpm,
      notionalMin: BigInt(params.liquidationNotionalMin),
    });
  }

  function attempt(
    ctx: WriteContext,
    id: AccountId,
    legs: readonly Leg[],
    budget: LiquidationBudget,
  ): boolean {
    const { asked, notional } = budget;
    const before = asked.before(id);
    try {
      return atomically(ctx, (inner) => execute(inner, id, legs, budget));
    } catch (error) {
      if (!(error instanceof Riskier)) throw error;
      budget.notional = notional;
      asked.untake(id, before);
      closing.promise(ctx, id, budget);
      return false;
    }
  }

  return {
    reduce(ctx, id, budget) {
      if (state.params.require(ctx).ladder === undefined) return false;
      let legs = next(ctx, id);
      const found = legs !== null;
      for (let count = 0; legs !== null && count < SLICES_MAX; count++) {
        if (!attempt(ctx, id, legs, budget)) break;
        legs = next(ctx, id);
      }
      return found;
    },
  };
}
