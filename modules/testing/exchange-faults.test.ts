/** Faults that exchanges had, on the real ledger, books and fund together. More accounts with KEEL_FAULT_ACCOUNTS: `npm run faults`. */
import { MsgSetMarginMode } from "@keel/proto/gen/keel/margin/v1/tx";
import { describe, expect, it } from "vitest";
import { createRandom } from "../derivatives/random.ts";
import { SYMBOL, testMarket } from "../derivatives/testing.ts";
import { type AccountId, accountId } from "../kit/account-id.ts";
import { defaultLadder } from "../margin/liquidation/terms.ts";
import { BTC, createWorld, DENOM, UNIT, type World } from "./world.ts";

const ACCOUNTS = Number(process.env["KEEL_FAULT_ACCOUNTS"] ?? "300");
const START = 60_000;

function price(world: World, value: number): void {
  world.setPrice(BTC, `${value}`);
}

describe("fault 30: dYdX, October 2025", () => {
  /** 0.1 of one: 6,000 units at the start, 500 less when it has fallen. */
  const LOTS = 100n;
  const FALLEN = 55_000;
  const FUND = 100n;

  const equityOf = ({ ctx, margin }: World, id: AccountId): bigint | undefined =>
    margin.keeper.health(ctx, id)?.equity;

  /** An isolated market of two: the long will miss what the fund has and one quantum. */
  function open(): { readonly world: World; readonly long: AccountId; readonly short: AccountId } {
    const world = createWorld({ fundUnits: FUND });
    const { bank, ctx, margin } = world;
    price(world, START);
    const market = world.list(testMarket());
    for (const n of [1, 2]) {
      const route = margin.module.messages.find(({ typeUrl }) =>
        typeUrl.endsWith(".MsgSetMarginMode"),
      );
      const mode = MsgSetMarginMode.fromPartial({ sender: world.address(n), isolated: true });
      world.funded(n, 1n);
      route?.handle(ctx.signedBy(world.owner(n)), mode);
    }
    const [long, short] = [accountId(world.owner(1), 0), world.funded(2, 5_000n)];
    const more = 399n * UNIT - 1n;
    bank.mint(ctx, world.owner(1), { denom: DENOM, amount: more });
    margin.keeper.deposit(ctx, world.owner(1), long, more);
    const opened = margin.keeper.clear(ctx, {
      ...{ market, priceTicks: BigInt(2 * START), lots: LOTS, taker: "buy", kind: "external" },
      buyer: { account: long, feeQuanta: 0n, orderId: null },
      seller: { account: short, feeQuanta: 0n, orderId: null },
    });
    expect(opened.ok).toBe(true);
    return { world, long, short };
  }

  /** One tick of all lots is worth 50,000 quanta. */
  it.each([
    { bid: null, closed: "deleverage", fee: 0n },
    // What the fund cannot pay for is not sold at the book.
    { bid: FALLEN, closed: "deleverage", fee: 0n },
    // A maker's hundredth of a percent.
    { bid: FALLEN + 0.5, closed: "liquidation", fee: 550_005n },
  ])(
    "one liquidation takes all open interest of an isolated market with the fund one quantum short (the only bid: $bid)",
    ({ bid, closed, fee }) => {
      const { long, short, world } = open();
      const { ctx, margin } = world;
      if (bid !== null) world.place(SYMBOL, short, `buy 0.1 @ ${bid} post`);
      world.block(1, () => price(world, START));
      ctx.events.length = 0;
      world.block(1, () => price(world, FALLEN));
      world.block(1, () => price(world, FALLEN));
      expect(world.eventsOf(closed).map(({ lots }) => lots)).toEqual(["100"]);
      expect(margin.keeper.openInterestLots(ctx, 1)).toBe(0n);
      const losses = world.eventsOf("loss");
      expect(losses).toHaveLength(1);
      const lines = (losses[0]?.["lines"] ?? "")
        .split(",")
        .map((line) => line.split("=") as [string, string]);
      expect(lines.reduce((sum, [, quanta]) => sum + BigInt(quanta), 0n)).toBe(0n);
      // The other side gives a tick of each lot, and what that is beyond the quantum is the fund's: it goes on, and nobody is left below zero.
      expect(equityOf(world, long) ?? 0n).toBe(0n);
      expect(margin.keeper.totals(ctx).pendingShortfall).toBe(0n);
      expect(equityOf(world, short)).toBe(5_501n * UNIT - 50_000n - fee);
      expect(world.eventsOf("market_quarantined")).toEqual([]);
      expect(world.keeper.terms(ctx, 1)?.status).toBe("active");
      expect(world.violation()).toBeNull();
      world.keeper.cancelAll(ctx, short, SYMBOL);
      world.trade(SYMBOL, short, world.funded(3, 1_000n), "0.01", `${FALLEN}`);
      world.block(1, () => price(world, FALLEN));
      expect(world.violation()).toBeNull();
    },
  );
});

describe("fault 32: everybody is liquidatable in one block", () => {
  const FALLEN = 56_400;
  /** 0.02 of one: 1,200 units at the start. */
  const LOTS = 20n;
  /** The ladder takes ten times as many blocks, since the book is given a part of it at a time. */
  const countOf = (ladder: boolean): number => (ladder ? Math.ceil(ACCOUNTS / 4) : ACCOUNTS);
  const perBlock = (ladder: boolean): number => Math.ceil(countOf(ladder) / 10);
  const notionalPerBlock = (ladder: boolean): bigint => BigInt(perBlock(ladder)) * 1_000n * UNIT;

  function crowd(ladder: boolean): { readonly world: World; readonly maker: AccountId } {
    const world = createWorld({
      margin: {
        liquidationsPerBlockMax: perBlock(ladder),
        liquidationNotionalPerBlockMax: `${notionalPerBlock(ladder)}`,
        ...(ladder ? { ladder: defaultLadder() } : {}),
      },
      fundUnits: 1_000n * BigInt(countOf(ladder)),
    });
    price(world, START);
    const market = world.list(testMarket());
    const maker = world.funded(1, 1_000_000_000n);
    const random = createRandom(1);
    for (let i = 0; i < countOf(ladder); i++) {
      // After the fall between a fifth of maintenance below zero and all of it.
      const id = world.funded(10 + i, BigInt(66 + random.below(38)));
      const opened = world.margin.keeper.clear(world.ctx, {
        ...{ market, priceTicks: BigInt(2 * START), lots: LOTS, taker: "buy", kind: "external" },
        buyer: { account: id, feeQuanta: 0n, orderId: null },
        seller: { account: maker, feeQuanta: 0n, orderId: null },
      });
      expect(opened.ok).toBe(true);
    }
    world.block(1, () => price(world, START));
    return { world, maker };
  }

  function isAnyoneShort({ ctx, margin, owner }: World): boolean {
    for (let i = 0; i < ACCOUNTS; i++) {
      const health = margin.keeper.health(ctx, accountId(owner(10 + i), 0));
      if (health !== undefined && health.equity < health.maintenance) return true;
    }
    return false;
  }

  /** Who was closed how in each block, until nobody is left. */
  function cascade(ladder: boolean): string[][] {
    const { maker, world } = crowd(ladder);
    const blocks: string[][] = [];
    price(world, FALLEN);
    do {
      world.keeper.cancelAll(world.ctx, maker, SYMBOL);
      for (let level = 0; level < 20; level++) {
        const size = (countOf(ladder) * Number(LOTS)) / 200 / 1_000;
        const at = Math.floor(FALLEN * (1 - (level + 0.5) / 1_000));
        world.place(SYMBOL, maker, `buy ${Number(size.toFixed(3))} @ ${at} post`);
      }
      world.ctx.events.length = 0;
      // As long as the ladder's window, so that each block is given its share of the book anew.
      world.block(10, () => price(world, FALLEN));
      const liquidations = world.eventsOf("liquidation");
      const touched = new Set(liquidations.map(({ account }) => account));
      expect(touched.size).toBeLessThanOrEqual(perBlock(ladder));
      const notional = liquidations.reduce((sum, one) => sum + BigInt(one["notional"] ?? ""), 0n);
      expect(notional).toBeLessThanOrEqual(notionalPerBlock(ladder));
      for (const { lines = "" } of world.eventsOf("loss")) {
        const sum = lines
          .split(",")
          .reduce((all, one) => all + BigInt(one.split("=")[1] ?? ""), 0n);
        expect(sum).toBe(0n);
      }
      blocks.push([
        ...liquidations.map((one) => JSON.stringify(one)),
        ...world.eventsOf("deleverage").map((one) => JSON.stringify(one)),
      ]);
      if (blocks.length % 10 === 0) expect(world.violation()).toBeNull();
      if (blocks.length > 3_000) throw new Error("it never ends");
    } while (isAnyoneShort(world));
    expect(world.violation()).toBeNull();
    expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBe(0n);
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("active");
    return blocks;
  }

  it.each([false, true])(
    "a block does what its bounds allow, the next one goes on, and the order is always the same (ladder: %s)",
    { timeout: 600_000 },
    (ladder) => {
      const blocks = cascade(ladder);
      expect(blocks.length).toBeGreaterThanOrEqual(10);
      expect(blocks.flat().length).toBeGreaterThanOrEqual(countOf(ladder));
      if (ACCOUNTS <= 1_000) expect(cascade(ladder)).toEqual(blocks);
    },
  );
});

describe("fault 34: order spam", () => {
  const TRADES = 400;

  function venue(): { readonly world: World; readonly ids: AccountId[] } {
    const world = createWorld();
    price(world, START);
    world.list(testMarket());
    const ids = [1, 2, 3].map((n) => world.funded(n, 1_000_000n));
    return { world, ids };
  }

  const equity = (world: World, id: AccountId): bigint =>
    world.margin.keeper.health(world.ctx, id)?.equity ?? 0n;

  it("orders of one lot at odd prices bring two accounts of one mind nothing: each trade costs them, and what they lose is fees held", () => {
    const { world, ids } = venue();
    const [a, b] = ids as [AccountId, AccountId];
    const random = createRandom(7);
    let joint = equity(world, a) + equity(world, b);
    let fees = world.margin.keeper.totals(world.ctx).feesHeld;
    for (let i = 0; i < TRADES; i++) {
      const [buyer, seller] = random.below(2) === 0 ? [a, b] : [b, a];
      const at = (START * 2 - 600 + random.below(1_200)) / 2;
      const maker = random.below(2) === 0;
      world.place(SYMBOL, maker ? seller : buyer, `${maker ? "sell" : "buy"} 0.001 @ ${at} post`);
      world.place(SYMBOL, maker ? buyer : seller, `${maker ? "buy" : "sell"} 0.001 @ ${at} ioc`);
      const now = equity(world, a) + equity(world, b);
      const held = world.margin.keeper.totals(world.ctx).feesHeld;
      expect(now).toBeLessThan(joint);
      expect(held - fees).toBe(joint - now);
      [joint, fees] = [now, held];
      if (i % 50 === 0) world.block(1, () => price(world, START + random.below(40)));
      joint = equity(world, a) + equity(world, b);
    }
    expect(world.violation()).toBeNull();
  });

  it("a storm of cancels leaves nothing reserved, and the order beyond the bound is refused and changes nothing", () => {
    const { world, ids } = venue();
    const [a] = ids as [AccountId];
    const before = world.margin.keeper.account(world.ctx, a);
    const most = testMarket().terms?.openOrdersMax ?? 0;
    for (let round = 0; round < 3; round++) {
      // Each a level of its own.
      for (let i = 0; i < most; i++) world.place(SYMBOL, a, `buy 0.001 @ ${START - 100 - i} post`);
      const full = world.stored();
      expect(() => world.place(SYMBOL, a, "buy 0.001 @ 59000 post")).toThrow(/open orders/);
      expect(world.stored()).toEqual(full);
      expect(world.violation()).toBeNull();
      expect(world.keeper.cancelAll(world.ctx, a, SYMBOL)).toBe(most);
    }
    expect(world.margin.keeper.account(world.ctx, a)).toEqual(before);
    expect(world.violation()).toBeNull();
  });

  it("an order that would sweep all levels stops at its bound, and never trades with its own owner", () => {
    const { world, ids } = venue();
    const [a, b, c] = ids as [AccountId, AccountId, AccountId];
    const { fillsPerOrderMax = 0, openOrdersMax = 0 } = testMarket().terms ?? {};
    for (const id of [a, b])
      for (let i = 0; i < openOrdersMax; i++)
        world.place(SYMBOL, id, `sell 0.001 @ ${START + 1 + i} post`);
    world.ctx.events.length = 0;
    const swept = world.place(SYMBOL, c, `buy ${(2 * openOrdersMax) / 1_000} @ 61000`);
    expect(Number(swept.filledSize) * 1_000).toBe(fillsPerOrderMax);
    expect(world.margin.keeper.positionLots(world.ctx, c, 1)).toBe(BigInt(fillsPerOrderMax));
    expect(world.violation()).toBeNull();
    const own = world.place(SYMBOL, a, "buy 0.4 @ 61000 ioc");
    // Only what the other one has left.
    expect(Number(own.filledSize) * 1_000).toBe(openOrdersMax - fillsPerOrderMax / 2);
    expect(world.violation()).toBeNull();
  });
});
