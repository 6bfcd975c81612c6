import { beforeEach, describe, expect, it } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { MARGIN_CODES } from "../errors.ts";
import { BTC, ETH } from "../testing/world.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks; initial margin is a tenth, maintenance a twentieth. */
const UNIT = 1_000_000n;

let world: InsuredWorld;
let gainer: AccountId;
let friend: AccountId;

/** 100 short lots of BTC with 20 units behind them gain 50, and what they require falls to five. */
beforeEach(() => {
  world = createInsuredWorld();
  const other = world.funded(1, 100n * UNIT);
  gainer = world.funded(2, 20n * UNIT);
  friend = world.funded(3, 1_000n * UNIT);
  world.trade(other, gainer, 100n, 1_000n);
  world.trade(friend, gainer, 10n, 1_000n, ETH);
  world.markets.setMark(world.ctx, BTC, 500n);
});

function trade(buyer: AccountId, seller: AccountId, lots: bigint) {
  const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
  return world.margin.keeper.clear(world.ctx, {
    market: ETH,
    priceTicks: 1_000n,
    lots,
    buyer: party(buyer),
    seller: party(seller),
    taker: "buy",
    kind: "order",
  });
}

const free = () => world.margin.keeper.freeCollateral(world.ctx, gainer) / UNIT;
const refused = { ok: false, refused: "sell", code: MARGIN_CODES.insufficientMargin };
const halt = () => world.markets.setStatus(world.ctx, BTC, "halted");

describe("a gain in a market that cannot be closed", () => {
  it("is no margin for openings elsewhere", () => {
    halt();
    // 20 are there and six required: enough for 140 lots more, and with the gain it were 640.
    expect(trade(friend, gainer, 141n)).toMatchObject(refused);
    expect(trade(friend, gainer, 140n)).toEqual({ ok: true });
    world.markets.setStatus(world.ctx, BTC, "active");
    expect(trade(friend, gainer, 500n)).toEqual({ ok: true });
  });

  it("is none for resting orders, and frees no collateral", () => {
    expect(free()).toBe(20n);
    halt();
    expect(free()).toBe(14n);
    const order = { account: gainer, market: ETH, side: "sell", ticks: 1_000n } as const;
    const rest = (lots: bigint) =>
      world.markets.rest(world.ctx, { ...order, lots, feeReserve: 0n });
    expect(() => rest(141n)).toThrow("short of");
    rest(100n);
    expect(free()).toBe(4n);
    const own = accountId(world.owner(2), 1);
    const { keeper } = world.margin;
    expect(() => keeper.transfer(world.ctx, gainer, own, 5n * UNIT)).toThrow("free collateral");
    keeper.transfer(world.ctx, gainer, own, 4n * UNIT);
  });

  it.each([
    ["quarantined", () => world.markets.setStatus(world.ctx, BTC, "quarantined")],
    [
      "not known yet at which it settles",
      () => world.markets.setStatus(world.ctx, BTC, "settling"),
    ],
    ["too old to be liquidated at", () => world.markets.ageing(world.ctx, BTC)],
  ] as const)("is none while its market or price is %s", (_name, stop) => {
    stop();
    expect(trade(friend, gainer, 141n)).toMatchObject(refused);
  });

  it("counts while the market takes what makes positions smaller, and once its value is settled", () => {
    world.markets.setStatus(world.ctx, BTC, "closeOnly");
    expect(trade(friend, gainer, 300n)).toEqual({ ok: true });
    world.markets.expire(world.ctx, BTC, UNIT / 2n);
    expect(trade(friend, gainer, 300n)).toEqual({ ok: true });
  });

  it("keeps nobody from being worth what he is, nor from making positions smaller", () => {
    expect(trade(friend, gainer, 500n)).toEqual({ ok: true });
    halt();
    world.markets.setMark(world.ctx, ETH, 1_050n);
    world.margin.keeper.endBlock(world.ctx);
    expect(world.margin.keeper.positionLots(world.ctx, gainer, ETH)).toBe(-510n);
    world.markets.setMark(world.ctx, ETH, 1_000n);
    expect(trade(friend, gainer, 1n)).toMatchObject(refused);
    expect(trade(gainer, friend, 100n)).toEqual({ ok: true });
  });

  it("wins and loses nobody else's money when its price comes back", () => {
    halt();
    trade(friend, gainer, 600n);
    const before = world.equity(friend);
    world.markets.setMark(world.ctx, ETH, 1_100n);
    world.margin.keeper.endBlock(world.ctx);
    world.markets.setMark(world.ctx, BTC, 1_000n);
    world.markets.setStatus(world.ctx, BTC, "active");
    world.margin.keeper.endBlock(world.ctx);
    expect(world.margin.keeper.pendingShortfall(world.ctx, "uusdc")).toBe(0n);
    expect(world.equity(friend)).toBe(before + UNIT);
  });
});
