import { CollateralTerms } from "@keel/proto/gen/keel/margin/v1/collateral";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { ModuleError } from "../../kit/errors.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import { BTC, btcTerms, createWorld, type World } from "../testing/world.ts";

const UNIT = 1_000_000n;
const COIN = 100_000_000n;
const TRADERS = 5;
const ASSETS = ["ubond", "uwbtc"] as const;
const ISSUER = createAddresses("keel").format(new Uint8Array(20).fill(9));
const RUNS = Number(process.env["KEEL_COLLATERAL_RUNS"] ?? "60");

type Denom = (typeof ASSETS)[number];
type Step =
  | {
      readonly kind: "deposit" | "withdraw" | "move" | "buy";
      readonly who: number;
      readonly denom: Denom;
      readonly units: bigint;
    }
  | { readonly kind: "cash"; readonly who: number; readonly amount: bigint }
  | { readonly kind: "trade"; readonly who: number; readonly other: number; readonly lots: bigint }
  | { readonly kind: "mark"; readonly movePpm: bigint }
  | {
      readonly kind: "price";
      readonly denom: Denom;
      readonly movePpm: bigint;
      readonly fresh: boolean;
    }
  | { readonly kind: "freeze"; readonly frozen: boolean }
  | { readonly kind: "give"; readonly amount: bigint }
  | { readonly kind: "block" };

const who = fc.integer({ min: 0, max: TRADERS - 1 });
const denom = fc.constantFrom(...ASSETS);
const move = fc.oneof(
  fc.bigInt({ min: -30_000n, max: 30_000n }),
  fc.bigInt({ min: -300_000n, max: 400_000n }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "deposit" as const,
        "deposit" as const,
        "withdraw" as const,
        "move" as const,
        "buy" as const,
      ),
      who,
      denom,
      units: fc.bigInt({ min: 1n, max: COIN / 20n }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("cash" as const),
      who,
      amount: fc.bigInt({ min: -600n * UNIT, max: 300n * UNIT }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("trade" as const),
      who,
      other: who,
      lots: fc.bigInt({ min: 1n, max: 400n }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("mark" as const), movePpm: move }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("price" as const),
      denom,
      movePpm: move,
      fresh: fc.integer({ min: 0, max: 7 }).map((draw) => draw > 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("freeze" as const), frozen: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("give" as const),
      amount: fc.bigInt({ min: 1n, max: 900n * UNIT }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("block" as const) }) },
);

function start(): World {
  const world = createWorld({ liquidationNotionalMin: "0", liquidationsPerBlockMax: 3 });
  const { ctx, margin, markets, prices } = world;
  markets.list(ctx, btcTerms());
  markets.setMark(ctx, BTC, 50_000n);
  ASSETS.forEach((one, i) => {
    prices.set(i + 7, { mantissa: 50_000n, exponent: 0, confidence: 70n, fresh: true });
    const bond = one === "ubond";
    const terms = CollateralTerms.fromPartial({
      denom: one,
      decimals: 8,
      feedId: i + 7,
      haircut: { initialPpm: 200_000n, maintenancePpm: bond ? 130_001n : 77_777n },
      cap: COIN.toString(),
      ownerSharePpm: 600_000n,
      depositMin: "1000",
      debtPpm: bond ? 0n : 300_000n,
      saleDiscountPpm: 20_000n,
    });
    const restriction = { issuer: ISSUER, attestor: "", attestationMaxAgeMs: 0n, fadeMs: 60_000n };
    margin.keeper.assets.set(ctx, one, bond ? { ...terms, restriction } : terms);
  });
  for (let i = 0; i < TRADERS; i++) {
    const listing = { denom: "ubond", holder: world.owner(i + 1), allowed: true };
    margin.keeper.assets.allow(ctx, ISSUER, listing);
    world.funded(i + 1, BigInt(i) * 200n * UNIT + 1n);
    for (const one of ASSETS) world.bank.mint(ctx, world.owner(i + 1), COIN, one);
    world.bank.mint(ctx, world.owner(i + 1), 10_000n * UNIT);
  }
  return world;
}

function idOf(world: World, number: number): AccountId {
  return accountId(world.owner(number + 1), 0);
}

function apply(world: World, one: Exclude<Step, { kind: "block" }>): void {
  const { ctx, margin, markets, prices, fund } = world;
  const { assets } = margin.keeper;
  switch (one.kind) {
    case "deposit":
      assets.deposit(ctx, idOf(world, one.who), one.denom, one.units);
      return;
    case "withdraw":
      assets.withdraw(ctx, idOf(world, one.who), one.denom, one.units);
      return;
    case "move": {
      const second = accountId(world.owner(one.who + 1), 1);
      assets.transfer(ctx, idOf(world, one.who), second, one);
      return;
    }
    case "buy": {
      const inventory = BigInt(assets.require(ctx, one.denom).inventory);
      const units = one.units < inventory ? one.units : inventory;
      if (units === 0n) return;
      const order = { denom: one.denom, units, costMax: 10_000n * UNIT };
      assets.buy(ctx, world.owner(one.who + 1), order);
      return;
    }
    case "cash": {
      const id = idOf(world, one.who);
      if (one.amount > 0n) margin.keeper.deposit(ctx, world.owner(one.who + 1), id, one.amount);
      else if (one.amount < 0n) margin.keeper.withdraw(ctx, id, -one.amount);
      return;
    }
    case "trade": {
      if (one.who === one.other) return;
      const priceTicks = markets.mark(ctx, BTC)?.ticks ?? 1n;
      margin.keeper.clear(ctx, {
        market: BTC,
        priceTicks,
        lots: one.lots,
        buyer: { account: idOf(world, one.who), feeQuanta: 77n, orderId: null },
        seller: { account: idOf(world, one.other), feeQuanta: 33n, orderId: null },
        taker: "buy",
        kind: "order",
      });
      return;
    }
    case "mark": {
      const ticks = markets.mark(ctx, BTC)?.ticks ?? 1n;
      const next = (ticks * (1_000_000n + one.movePpm)) / 1_000_000n;
      markets.setMark(ctx, BTC, next < 500n ? 500n : next);
      return;
    }
    case "price": {
      const feed = ASSETS.indexOf(one.denom) + 7;
      const known = prices.get(feed);
      if (known === undefined) return;
      const next = (known.mantissa * (1_000_000n + one.movePpm)) / 1_000_000n;
      prices.set(feed, { ...known, mantissa: next < 500n ? 500n : next, fresh: one.fresh });
      return;
    }
    case "freeze":
      assets.freeze(ctx, ISSUER, "ubond", one.frozen);
      return;
    case "give":
      fund.give(ctx, one.amount);
  }
}

/** As a transaction: all of it or nothing. */
function attempt(world: World, one: Exclude<Step, { kind: "block" }>): boolean {
  const savepoint = world.ctx.state.savepoint();
  try {
    apply(world, one);
    return true;
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    world.ctx.state.revert(savepoint);
    return false;
  }
}

it("per asset the vault holds what accounts and fund hold, nobody else is below zero, and no debt is without assets", () => {
  const seen = { converted: 0, sold: 0, deficits: 0, refused: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 40, maxLength: 120 }), (steps) => {
      const world = start();
      const { ctx, margin, bank } = world;
      for (const one of [...steps, { kind: "block" } as const]) {
        if (one.kind !== "block") {
          if (!attempt(world, one)) seen.refused += 1;
          continue;
        }
        margin.keeper.endBlock(ctx);
        expect(world.violated()).toBeNull();
        for (const asset of ASSETS) {
          const { held, inventory } = margin.keeper.assets.require(ctx, asset);
          const coins = bank.balance(ctx, COLLATERAL_VAULT, asset);
          expect(coins).toBe(BigInt(held) + BigInt(inventory));
        }
        margin.state.accounts.each(ctx, (id) => {
          const health = margin.keeper.health(ctx, id);
          const queued = margin.state.deficits.has(ctx, id);
          expect((health?.equity ?? 0n) < 0n).toBe(queued);
        });
        seen.deficits += margin.state.deficits.size(ctx);
        ctx.nextBlock(20);
      }
      expect(world.markets.quarantined).toEqual([]);
      seen.converted += ctx.events.filter(({ type }) => type === "collateral_converted").length;
      seen.sold += ctx.events.filter(({ type }) => type === "collateral_sold").length;
    }),
    { numRuns: RUNS },
  );
  // The steps reach what they are there for; with other seeds the rarest may be missed.
  if (process.env["KEEL_SEED"] !== undefined) return;
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
});

it("a conversion leaves equity as it was, to the unit", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1_000n, max: COIN / 2n }),
      fc.bigInt({ min: 1n, max: 40_000n * UNIT }),
      fc.bigInt({ min: 3n, max: 90_001n }),
      fc.bigInt({ min: 0n, max: 30_000n * UNIT }),
      (units, debt, price, fund) => {
        const world = start();
        const { ctx, margin } = world;
        const id = idOf(world, 0);
        margin.keeper.assets.deposit(ctx, id, "uwbtc", units);
        world.prices.set(8, { mantissa: price, exponent: 0, confidence: 0n, fresh: true });
        const account = margin.keeper.account(ctx, id);
        const totals = margin.state.totals.require(ctx);
        if (account === undefined) throw new Error("no account");
        // A loss, to nobody in particular.
        margin.state.accounts.set(ctx, id, { ...account, collateral: -debt });
        const delta = -debt - account.collateral;
        margin.state.totals.set(ctx, { ...totals, collateral: totals.collateral + delta });
        world.fund.give(ctx, fund);
        const before = world.equity(id);
        fc.pre(before >= 0n);
        margin.keeper.endBlock(ctx);
        expect(world.equity(id)).toBe(before);
      },
    ),
    { numRuns: RUNS },
  );
});
