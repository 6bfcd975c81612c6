import { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import { describe, expect, it } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { Registry } from "../../kit/collections/schema.ts";
import type { WriteContext } from "../../kit/context.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import { type TestContext, testContext } from "../../kit/testing/context.ts";
import {
  type Account,
  emptyLedger,
  NO_ASSETS,
  NO_ELSEWHERE,
  type Position,
} from "../account-codec.ts";
import type { AssetView } from "../collateral-assets/valuation.ts";
import { compareSick } from "../end-block.ts";
import { isLiquidatable, maintenanceHealth } from "../health/health.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import type { LotLosses, MarketId, RequirementTier } from "../ports.ts";
import { type MarginState, marginState } from "../state.ts";
import { boundsOf, shortOfMargin } from "./branch-bounds.ts";

const WORLDS = 500;
const PORTFOLIOS = 20;
const BLOCKS = 24;
const MARKETS = 6;

/** Whole numbers from a seed: the same on every machine. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(count: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * count);
  }

  between(low: bigint, high: bigint): bigint {
    return low + (BigInt(this.below(2 ** 30)) * (high - low)) / 2n ** 30n;
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }
}

interface World {
  readonly dice: Dice;
  readonly ctx: TestContext;
  readonly state: MarginState;
  readonly views: Map<MarketId, MarketView | undefined>;
  /** What the units of the one asset count, and how that may change: price, haircut, fading away. */
  asset: AssetView;
  readonly ids: readonly AccountId[];
  looks: number;
  scans: number;
  found: number;
}

function tiersOf(dice: Dice): readonly RequirementTier[] {
  const tiers: RequirementTier[] = [];
  let aboveQuanta = 0n;
  for (let i = dice.below(3); i >= 0; i--) {
    const maintenancePpm = dice.between(0n, 400_000n);
    tiers.push({ aboveQuanta, initialPpm: 500_000n, maintenancePpm });
    aboveQuanta += dice.between(1n, 50_000_000_000n);
  }
  return tiers;
}

function lossesOf(dice: Dice, value: bigint, notional: bigint): MarketView["losses"] {
  const needed = dice.between(0n, notional / 3n);
  const both = (maintenance: bigint): LotLosses => ({ initial: 2n * maintenance, maintenance });
  return { long: both(value), short: both(needed) };
}

/** A perpetual, or an option worth little of its underlying. */
function listed(dice: Dice, id: MarketId): MarketView {
  const option = dice.oneIn(3);
  const notionalPerLot = dice.between(5n, dice.oneIn(4) ? 100n : 200_000_000n);
  const quantaPerLot = option ? dice.between(0n, notionalPerLot / 4n) : notionalPerLot;
  return {
    terms: {
      id,
      symbol: `M${id}`,
      feedId: 1,
      quantaPerTickLot: 1n,
      tiers: option ? [] : tiersOf(dice),
      status: "active",
      liquidationBandPpm: 50_000n,
    },
    markTicks: quantaPerLot,
    fresh: true,
    fundingIndex: 0n,
    quantaPerLot,
    notionalPerLot,
    losses: option ? lossesOf(dice, quantaPerLot, notionalPerLot) : null,
  };
}

/** A price goes somewhere: mostly a little, sometimes far. */
function moved(dice: Dice, value: bigint): bigint {
  const width = dice.oneIn(12) ? 400_000n : dice.oneIn(3) ? 20_000n : 1_000n;
  const next = value + (value * dice.between(-width, width + 1n)) / 1_000_000n;
  return next < 1n ? 1n : next;
}

function step(world: World, market: MarketId): void {
  const { dice, views } = world;
  const view = views.get(market);
  if (view === undefined) {
    if (dice.oneIn(2)) views.set(market, listed(dice, market));
    return;
  }
  if (dice.oneIn(40)) {
    views.set(market, undefined);
    return;
  }
  let next = view;
  if (!dice.oneIn(4)) {
    const notionalPerLot = moved(dice, view.notionalPerLot);
    const quantaPerLot =
      view.losses === null ? notionalPerLot : moved(dice, view.quantaPerLot + 1n) - 1n;
    next = { ...next, notionalPerLot, quantaPerLot, markTicks: quantaPerLot };
    // Volatility and time: what a lot may lose changes with and without the mark.
    if (next.losses !== null)
      next = { ...next, losses: lossesOf(dice, quantaPerLot, notionalPerLot) };
  }
  if (dice.oneIn(3)) {
    const width = next.notionalPerLot / (dice.oneIn(5) ? 20n : 5_000n) + 1n;
    next = { ...next, fundingIndex: next.fundingIndex + dice.between(-width, width + 1n) };
  }
  if (dice.oneIn(15)) next = { ...next, fresh: !next.fresh };
  if (next.losses === null && dice.oneIn(6)) {
    // All rates by a factor, or quite other tiers.
    const factor = dice.between(700_000n, 1_400_000n);
    const tiers = next.terms.tiers.map((tier) => ({
      ...tier,
      maintenancePpm: (tier.maintenancePpm * factor) / 1_000_000n,
    }));
    next = { ...next, terms: { ...next.terms, tiers: dice.oneIn(6) ? tiersOf(dice) : tiers } };
  }
  if (dice.oneIn(60)) {
    // Expired: a fixed value, and nothing at risk.
    const none: LotLosses = { initial: 0n, maintenance: 0n };
    next = { ...next, losses: { long: none, short: none } };
  }
  views.set(market, next);
}

/** Settlement units per asset. */
const ASSET: AssetView = {
  terms: CollateralTerms.fromPartial({ denom: "asset", decimals: 6 }),
  price: 20n * WAD,
  marketPrice: 20n * WAD,
  initialPpm: 500_000n,
  maintenancePpm: 900_000n,
  frozen: false,
  usable: true,
};

/** Price, haircut and freeze of the asset, each at its own time. */
function assetStep(world: World): void {
  const { dice } = world;
  if (dice.oneIn(2)) world.asset = { ...world.asset, price: moved(dice, world.asset.price) };
  if (dice.oneIn(6)) world.asset = { ...world.asset, maintenancePpm: dice.between(0n, 1_000_001n) };
  if (dice.oneIn(20)) world.asset = { ...world.asset, usable: !world.asset.usable, initialPpm: 0n };
}

/** Some are backed by the asset, worth up to what they hold. */
function assetsOf({ asset, dice }: World, gross: bigint): Account["assets"] {
  if (!dice.oneIn(6)) return NO_ASSETS;
  const units = dice.between(1n, (gross * WAD) / asset.price + 2n);
  return [{ denom: "asset", units }];
}

function viewsOf(world: World): MarketViews {
  const read: MarketViews = (market) => world.views.get(market);
  return Object.assign(read, { asset: () => world.asset });
}

function positionsOf(world: World): Position[] {
  const { dice, views } = world;
  const positions: Position[] = [];
  for (let market = 1; market <= MARKETS; market++) {
    const view = views.get(market);
    if (view === undefined || !dice.oneIn(2)) continue;
    const size = dice.between(0n, dice.oneIn(3) ? 3n : 2_000n);
    const lots = dice.oneIn(2) ? size : -size;
    const openBuyLots = dice.between(0n, 5n);
    if (lots === 0n && openBuyLots === 0n) continue;
    positions.push({
      market,
      lots,
      quote: -lots * moved(dice, view.quantaPerLot + 1n),
      fundingIndex: lots === 0n ? 0n : view.fundingIndex - dice.between(-3n, 3n),
      openBuyLots,
      openSellLots: 0n,
    });
  }
  return positions;
}

/** Anything that writes an account: a trade, a deposit, a loss of collateral, a haircut. */
function rewrite(world: World, ctx: WriteContext, id: AccountId): void {
  const { dice, state, views } = world;
  const known = state.accounts.get(ctx, id);
  const positions = known === undefined || dice.oneIn(2) ? positionsOf(world) : known.positions;
  const gross = positions.reduce((sum, { lots, market }) => {
    const view = views.get(market);
    return view === undefined ? sum : sum + (lots < 0n ? -lots : lots) * view.notionalPerLot;
  }, 0n);
  const collateral = dice.between(-gross / 20n, gross) + dice.between(0n, 5n);
  const account: Account = {
    collateral,
    feeReserve: 0n,
    portfolio: false,
    isolated: false,
    positions,
    assets: known !== undefined && dice.oneIn(2) ? known.assets : assetsOf(world, gross),
    elsewhere: NO_ELSEWHERE,
  };
  if (known !== undefined && dice.oneIn(25)) state.accounts.delete(ctx, id);
  else state.accounts.set(ctx, id, account);
  const now = state.accounts.get(ctx, id);
  if (now?.positions.some(({ lots }) => lots !== 0n) === true) state.active.set(ctx, id, true);
  else state.active.delete(ctx, id);
}

function everyone(world: World, ctx: WriteContext, views: MarketViews) {
  const found: { id: AccountId; equity: bigint; maintenance: bigint }[] = [];
  world.state.active.each(ctx, (id) => {
    world.scans += 1;
    const account = world.state.accounts.get(ctx, id) as Account;
    const health = maintenanceHealth(account, views);
    if (health === null || !isLiquidatable(health)) return;
    found.push({ id, equity: health.equity, maintenance: health.maintenance });
  });
  return found.sort(compareSick);
}

function compare(world: World, ctx: WriteContext, first: boolean): void {
  const views = viewsOf(world);
  const byBounds = shortOfMargin(ctx, world.state, views, first)
    .map(({ id, equity, maintenance }) => ({ id, equity, maintenance }))
    .sort(compareSick);
  world.looks += boundsOf(ctx)?.lastLooks ?? 0;
  world.found += byBounds.length;
  expect(byBounds).toEqual(everyone(world, ctx, views));
}

function block(world: World): void {
  const { dice, ctx, ids } = world;
  const busy = dice.below(4);
  for (let market = 1; market <= MARKETS; market++) if (dice.oneIn(2)) step(world, market);
  assetStep(world);
  for (let i = 0; i < busy; i++) rewrite(world, ctx, ids[dice.below(ids.length)] as AccountId);
  compare(world, ctx, true);
  if (!dice.oneIn(3)) return;
  // Liquidations write some, and everybody below is asked for again.
  rewrite(world, ctx, ids[dice.below(ids.length)] as AccountId);
  compare(world, ctx, false);
}

/** A proposal that was executed and dropped: its prices were seen, its writes are undone. */
function dropped(world: World): void {
  const kept = new Map(world.views);
  const { asset } = world;
  const savepoint = world.ctx.state.savepoint();
  block(world);
  if (world.dice.oneIn(2)) block(world);
  world.ctx.state.revert(savepoint);
  for (const [market, view] of kept) world.views.set(market, view);
  world.asset = asset;
}

function run(seed: number): World {
  const dice = new Dice(seed);
  const registry = new Registry();
  const state = marginState(registry.schema("margin"));
  const ctx = testContext(registry);
  const ids = Array.from({ length: PORTFOLIOS }, (_, i) => {
    const bytes = new Uint8Array(20);
    // Some have one account, some up to five.
    bytes[3] = i < PORTFOLIOS / 2 ? i : i % 4;
    return accountId(bytes, i);
  });
  const views = new Map<MarketId, MarketView | undefined>();
  const world: World = { dice, ctx, state, views, asset: ASSET, ids, looks: 0, scans: 0, found: 0 };
  for (let market = 1; market <= MARKETS; market++) {
    views.set(market, dice.oneIn(5) ? undefined : listed(dice, market));
    state.ledgers.set(ctx, market, { ...emptyLedger(market), positions: 1n });
  }
  for (const id of ids) rewrite(world, ctx, id);
  for (let i = 0; i < BLOCKS; i++) {
    if (dice.oneIn(4)) dropped(world);
    block(world);
    ctx.state.clearJournal();
    // A branch of the present builds its own.
    if (dice.oneIn(10)) compare(world, { ...ctx, state: ctx.state.fork() }, true);
  }
  return world;
}

describe("the bounds of accounts", () => {
  it("find exactly whom a full scan finds, in 10,000 random portfolios on random paths", () => {
    let looks = 0;
    let scans = 0;
    let found = 0;
    for (let seed = 1; seed <= WORLDS; seed++) {
      try {
        const world = run(seed);
        looks += world.looks;
        scans += world.scans;
        found += world.found;
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : ""}`);
      }
    }
    console.log(
      `seeds 1 to ${WORLDS}: ${scans} accounts scanned, ${looks} looked at, ${found} found`,
    );
    expect(found).toBeGreaterThan(WORLDS * PORTFOLIOS);
    expect(looks).toBeLessThan(scans);
  }, 240_000);
});
