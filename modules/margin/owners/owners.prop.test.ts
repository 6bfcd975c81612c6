/** Random trades, orders and transfers of owners with several sub-accounts: what they need together is never less than one account for all would. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { type Account, EMPTY_ACCOUNT, type Position } from "../account-codec.ts";
import { emptyPosition, findPosition, withPosition } from "../clearing/fill.ts";
import { evaluate, type Health, isLiquidatable } from "../health/health.ts";
import { marketViews } from "../health/market-view.ts";
import { modelledMarkets } from "../health/modelled-markets.ts";
import { BTC, ETH } from "../testing/world.ts";
import { type OwnersWorld, ownersWorld } from "./testing.ts";

const RUNS = Number(process.env["KEEL_OWNERS_RUNS"] ?? 40);
const OWNERS = 3;
const EACH = 3;

interface Step {
  readonly kind: "trade" | "transfer" | "order" | "cancel" | "mark";
  readonly a: number;
  readonly b: number;
  readonly lots: bigint;
  readonly market: number;
  readonly ticks: bigint;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("trade", "trade", "trade", "transfer", "order", "cancel", "mark"),
  a: fc.nat({ max: OWNERS * EACH - 1 }),
  b: fc.nat({ max: OWNERS * EACH - 1 }),
  lots: fc.bigInt({ min: 1n, max: 250n }),
  market: fc.constantFrom(BTC, BTC, ETH),
  ticks: fc.bigInt({ min: 48_000n, max: 52_000n }),
});

function merged(accounts: readonly Account[]): Account {
  let positions: readonly Position[] = [];
  for (const account of accounts) {
    for (const one of account.positions) {
      const sum =
        findPosition({ ...EMPTY_ACCOUNT, positions }, one.market) ?? emptyPosition(one.market);
      positions = withPosition(positions, {
        ...sum,
        lots: sum.lots + one.lots,
        openBuyLots: sum.openBuyLots + one.openBuyLots,
        openSellLots: sum.openSellLots + one.openSellLots,
      });
    }
  }
  return { ...EMPTY_ACCOUNT, positions };
}

function take(world: OwnersWorld, ids: readonly AccountId[], one: Step): void {
  const { ctx, markets } = world;
  const [a, b] = [ids[one.a] as AccountId, ids[one.b] as AccountId];
  const { lots, market, ticks } = one;
  if (one.kind === "mark") return markets.setMark(ctx, market, ticks);
  if (one.kind === "cancel") return markets.cancelOrders(ctx, a, "test");
  if (one.kind === "order") {
    const savepoint = ctx.state.savepoint();
    const side = one.b % 2 === 0 ? "buy" : "sell";
    try {
      markets.rest(ctx, { account: a, market, side, ticks, lots, feeReserve: 0n });
    } catch {
      ctx.state.revert(savepoint);
    }
    return;
  }
  if (a === b) return;
  world.trade(a, b, lots, {
    market,
    priceTicks: ticks,
    kind: one.kind === "trade" ? "external" : "transfer",
  });
}

it("owners of several accounts need at least what one account would, and no trade of one makes another liquidatable", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
      const world = ownersWorld();
      const { ctx, margin, markets, prices } = world;
      const ids: AccountId[] = [];
      for (let owner = 1; owner <= OWNERS; owner++) {
        for (let i = 0; i < EACH; i++) ids.push(world.funds(owner, i, 4_000n));
      }
      const read = (id: AccountId): Account => margin.keeper.account(ctx, id) ?? EMPTY_ACCOUNT;
      const port = { price: (_: unknown, feed: number) => prices.get(feed) };
      for (const one of steps) {
        const views = marketViews(ctx, modelledMarkets(margin.state, markets, port));
        const well = ids.filter((id) => !isLiquidatable(evaluate(read(id), views)));
        take(world, ids, one);
        const now = marketViews(ctx, modelledMarkets(margin.state, markets, port));
        const health = new Map<AccountId, Health>(ids.map((id) => [id, evaluate(read(id), now)]));
        if (one.kind !== "mark") {
          for (const id of well) expect(isLiquidatable(health.get(id) as Health)).toBe(false);
        }
        for (let owner = 0; owner < OWNERS; owner++) {
          const own = ids.slice(owner * EACH, owner * EACH + EACH);
          const whole = evaluate(merged(own.map(read)), now);
          const sum = (of: (one: Health) => bigint): bigint =>
            own.reduce((total, id) => total + of(health.get(id) as Health), 0n);
          expect(sum(({ initial }) => initial)).toBeGreaterThanOrEqual(whole.initial);
          expect(sum(({ maintenance }) => maintenance)).toBeGreaterThanOrEqual(whole.maintenance);
        }
      }
      expect(world.violated()).toBeNull();
    }),
    { numRuns: RUNS },
  );
});
