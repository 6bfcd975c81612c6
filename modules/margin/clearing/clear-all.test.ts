import { beforeEach, describe, expect, it } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { changedKeys } from "../../kit/testing/changes.ts";
import { MARGIN_CODES, type MarginCode } from "../errors.ts";
import type { CollateralMove, Trade } from "../ports.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";

const UNIT = 1_000_000n;

let world: World;
let alice: AccountId;
let bob: AccountId;
let carol: AccountId;

beforeEach(() => {
  world = createWorld({ marketsPerAccountMax: 2 });
  for (const id of [BTC, ETH, 3]) {
    world.markets.list(world.ctx, btcTerms({ id, symbol: `M${id}` }));
    world.markets.setMark(world.ctx, id, 50_000n);
  }
  [alice, bob, carol] = [1, 2, 3].map((n) => world.funded(n, 1_000n * UNIT)) as [
    AccountId,
    AccountId,
    AccountId,
  ];
});

/** One lot at 50,000 ticks is 50 units. */
function trade(
  buyer: AccountId,
  seller: AccountId,
  lots: bigint,
  over: Partial<Trade> = {},
): Trade {
  const party = (account: AccountId, feeQuanta = 0n) => ({ account, feeQuanta, orderId: null });
  return {
    market: BTC,
    priceTicks: 50_000n,
    lots,
    buyer: party(buyer),
    seller: party(seller),
    taker: "buy",
    kind: "external",
    ...over,
  };
}

const clearAll = (trades: readonly Trade[], moves: readonly CollateralMove[] = []) =>
  world.margin.keeper.clearAll(world.ctx, trades, moves);

function refused(
  code: MarginCode,
  who: AccountId,
  trades: readonly Trade[],
  moves: readonly CollateralMove[] = [],
): void {
  const before = world.ctx.state.fork();
  expect(clearAll(trades, moves)).toMatchObject({
    ok: false,
    code: MARGIN_CODES[code],
    refused: who,
  });
  expect(changedKeys(before, world.ctx.state)).toEqual([]);
  expect(world.violated()).toBeNull();
}

describe("clearing all or none", () => {
  it("judges each account once, by where it ends", () => {
    // 400 lots need 2,000 units of initial margin: twice what alice has, but she keeps nothing of it.
    const result = clearAll([
      trade(alice, bob, 150n),
      trade(carol, alice, 150n, { priceTicks: 50_100n }),
    ]);
    expect(result).toEqual({ ok: true });
    expect(world.margin.keeper.positionLots(world.ctx, alice, BTC)).toBe(0n);
    expect(world.margin.keeper.account(world.ctx, alice)?.collateral).toBe(1_015n * UNIT);
    expect(world.violated()).toBeNull();
    refused("insufficientMargin", alice, [trade(alice, bob, 210n), trade(carol, alice, 5n)]);
  });

  it("takes fees, pays no rebates, and says who stands in the way", () => {
    const fees = trade(alice, bob, 10n, {
      buyer: { account: alice, feeQuanta: 7n, orderId: null },
      seller: { account: bob, feeQuanta: -3n, orderId: null },
    });
    expect(clearAll([fees])).toEqual({ ok: true });
    expect(world.margin.keeper.totals(world.ctx).feesHeld).toBe(7n);
    expect(world.violated()).toBeNull();
    const nobody = accountId(world.owner(9), 0);
    refused("unknownAccount", nobody, [trade(alice, bob, 1n), trade(alice, nobody, 1n)]);
    clearAll([trade(alice, bob, 1n, { market: ETH })]);
    refused("tooManyMarkets", alice, [trade(alice, bob, 1n, { market: 3 })]);
    world.markets.setMark(world.ctx, BTC, 50_000n, false);
    refused("stalePrice", alice, [trade(alice, bob, 1n)]);
    refused("stalePrice", carol, [trade(carol, bob, 1n, { taker: "buy" })]);
  });

  it("lets an account below its requirement only become safer", () => {
    clearAll([trade(alice, bob, 200n)]);
    world.markets.setMark(world.ctx, BTC, 48_000n);
    refused("insufficientMargin", alice, [trade(alice, carol, 1n, { priceTicks: 48_000n })]);
    expect(clearAll([trade(carol, alice, 50n, { priceTicks: 48_000n })])).toEqual({ ok: true });
    expect(world.violated()).toBeNull();
  });
});

describe("positions that move", () => {
  const move = (quanta: bigint, to = carol): CollateralMove => ({ from: alice, to, quanta });
  const transfer = (lots: bigint, to = carol): Trade =>
    trade(to, alice, lots, { kind: "transfer" });

  it("are valued at mark, funding settled: both equities change by the collateral alone", () => {
    clearAll([trade(alice, bob, 100n)]);
    world.markets.addFunding(world.ctx, BTC, 11n);
    world.markets.setMark(world.ctx, BTC, 50_700n);
    const before = [alice, carol].map((id) => world.equity(id));
    // The price given does not matter.
    const moved = trade(carol, alice, 30n, { kind: "transfer", priceTicks: 1n });
    expect(clearAll([moved], [move(50n * UNIT)])).toEqual({ ok: true });
    expect(world.equity(alice)).toBe(before[0]! - 50n * UNIT);
    expect(world.equity(carol)).toBe(before[1]! + 50n * UNIT);
    expect(world.margin.keeper.positionLots(world.ctx, carol, BTC)).toBe(30n);
    expect(world.violated()).toBeNull();
  });

  it("make the receiving account, and remove an emptied one", () => {
    const fresh = accountId(world.owner(1), 5);
    clearAll([trade(alice, bob, 100n)]);
    refused("unknownAccount", fresh, [transfer(100n, fresh)]);
    refused("insufficientMargin", fresh, [transfer(100n, fresh)], [move(499n * UNIT, fresh)]);
    expect(clearAll([transfer(100n, fresh)], [move(1_000n * UNIT, fresh)])).toEqual({ ok: true });
    expect(world.margin.keeper.exists(world.ctx, alice)).toBe(false);
    expect(world.margin.keeper.totals(world.ctx).accounts).toBe(3n);
    expect(world.violated()).toBeNull();
  });

  it("take along cash only, and leave who gave it within initial margin", () => {
    clearAll([trade(alice, bob, 100n)]);
    refused("insufficientMargin", alice, [transfer(10n)], [move(700n * UNIT)]);
    world.markets.setMark(world.ctx, BTC, 55_000n);
    // Rich, but by an open profit.
    refused("insufficientCollateral", alice, [transfer(10n)], [move(1_001n * UNIT)]);
    world.markets.setStatus(world.ctx, BTC, "quarantined");
    refused("marketQuarantined", alice, [transfer(10n)], [move(1n)]);
  });

  it("may leave an account below initial margin when nothing else goes", () => {
    clearAll([trade(alice, bob, 200n)]);
    world.markets.setMark(world.ctx, BTC, 48_000n);
    refused("insufficientMargin", alice, [transfer(50n)], [move(1n)]);
    expect(clearAll([transfer(50n)])).toEqual({ ok: true });
  });
});

describe("a ported sub-account", () => {
  const to = (): AccountId => accountId(world.owner(8), 2);
  const port = () => world.margin.keeper.portAccount(world.ctx, alice, to());

  it("is the same account under another name", () => {
    clearAll([trade(alice, bob, 100n)]);
    world.markets.addFunding(world.ctx, BTC, 3n);
    const before = world.margin.keeper.account(world.ctx, alice);
    port();
    expect(world.margin.keeper.account(world.ctx, to())).toEqual(before);
    expect(world.margin.keeper.exists(world.ctx, alice)).toBe(false);
    expect(world.violated()).toBeNull();
  });

  it("meets initial margin at fresh marks, outside quarantine", () => {
    clearAll([trade(alice, bob, 200n)]);
    const code = (name: MarginCode) => expect.objectContaining({ code: MARGIN_CODES[name] });
    world.markets.setMark(world.ctx, BTC, 48_000n);
    expect(port).toThrow(code("insufficientMargin"));
    world.markets.setMark(world.ctx, BTC, 52_000n, false);
    expect(port).toThrow(code("stalePrice"));
    world.markets.setMark(world.ctx, BTC, 52_000n);
    world.markets.setStatus(world.ctx, BTC, "quarantined");
    expect(port).toThrow(code("marketQuarantined"));
    world.markets.setStatus(world.ctx, BTC, "active");
    port();
    expect(port).toThrow(code("unknownAccount"));
  });

  it("has no open orders", () => {
    world.margin.keeper.adjustOpenOrders(world.ctx, alice, BTC, "buy", 1n, 0n);
    expect(port).toThrow("without open orders");
  });
});
