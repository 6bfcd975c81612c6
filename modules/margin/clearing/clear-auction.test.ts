import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { accountId } from "../../kit/account-id.ts";
import { MARGIN_CODES } from "../errors.ts";
import type { AuctionFill, Side } from "../ports.ts";
import { BTC, btcTerms, createWorld, type World } from "../testing/world.ts";

const UNIT = 1_000_000n;

function fill(account: AccountId, side: Side, lots: bigint, fee = 0n): AuctionFill {
  return { account, side, lots, feeQuanta: fee, release: { lots: 0n, feeReserveQuanta: 0n } };
}

describe("clearAuction", () => {
  let world: World;
  let accounts: AccountId[];

  beforeEach(() => {
    world = createWorld();
    world.markets.list(world.ctx, btcTerms());
    world.markets.setMark(world.ctx, BTC, 50_000n);
    accounts = [1, 2, 3, 4].map((n) => world.funded(n, 10_000n * UNIT));
  });

  const account = (n: number): AccountId => accounts[n] as AccountId;
  const clear = (fills: readonly AuctionFill[], ticks = 50_000n) =>
    world.margin.keeper.clearAuction(world.ctx, { market: BTC, priceTicks: ticks, fills });

  it("leaves the ledger that the same fills in pairs leave", () => {
    const fills = [
      fill(account(0), "buy", 30n, 7n),
      fill(account(1), "sell", 20n, 5n),
      fill(account(2), "sell", 25n, 6n),
      fill(account(3), "buy", 15n, 4n),
    ];
    const pairs = [
      { buyer: account(0), seller: account(1), lots: 20n, fees: [5n, 5n] },
      { buyer: account(0), seller: account(2), lots: 10n, fees: [2n, 2n] },
      { buyer: account(3), seller: account(2), lots: 15n, fees: [4n, 4n] },
    ] as const;
    const { keeper } = world.margin;
    const seen = () => [
      accounts.map((id) => keeper.account(world.ctx, id)),
      keeper.ledger(world.ctx, BTC),
      keeper.totals(world.ctx),
    ];
    for (const round of [1, 2]) {
      const savepoint = world.ctx.state.savepoint();
      for (const { buyer, seller, lots, fees } of pairs) {
        const result = keeper.clear(world.ctx, {
          market: BTC,
          priceTicks: 49_990n,
          lots,
          buyer: { account: buyer, feeQuanta: fees[0], orderId: null },
          seller: { account: seller, feeQuanta: fees[1], orderId: null },
          taker: "buy",
          kind: "order",
        });
        expect(result).toEqual({ ok: true });
      }
      const inPairs = seen();
      world.ctx.state.revert(savepoint);
      expect(clear(fills, 49_990n)).toEqual({ ok: true });
      expect(seen(), `round ${round}`).toEqual(inPairs);
      expect(world.violated()).toBeNull();
    }
    // And back to nothing.
    const back = fills.map((one) =>
      fill(one.account, one.side === "buy" ? "sell" : "buy", one.lots * 2n),
    );
    expect(clear(back)).toEqual({ ok: true });
    expect(keeper.openInterestLots(world.ctx, BTC)).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  it("takes resting exposure off with the fill", () => {
    const { keeper } = world.margin;
    keeper.adjustOpenOrders(world.ctx, account(0), BTC, "buy", 40n, 100n);
    const released = {
      ...fill(account(0), "buy", 30n),
      release: { lots: 30n, feeReserveQuanta: 75n },
    };
    expect(clear([released, fill(account(1), "sell", 30n)])).toEqual({ ok: true });
    const { feeReserve, positions } = keeper.account(world.ctx, account(0)) ?? {};
    expect([feeReserve, positions?.[0]?.openBuyLots]).toEqual([25n, 10n]);
  });

  it("names every account that cannot bear its fills, and changes nothing", () => {
    const before = JSON.stringify(world.margin.keeper.account(world.ctx, account(1)), text);
    // 3,000 lots are 150,000 units, of which 10,000 bear less than the requirement of 29,000.
    const stranger = accountId(new Uint8Array(20).fill(9), 0);
    const result = clear([
      fill(account(0), "buy", 3000n),
      fill(account(2), "buy", 10n),
      fill(stranger, "buy", 10n),
      fill(account(1), "sell", 10n),
      fill(account(3), "sell", 3010n),
    ]);
    expect(result.ok ? [] : result.refused.map((one) => [one.account, one.code])).toEqual([
      [account(0), MARGIN_CODES.insufficientMargin],
      [stranger, MARGIN_CODES.unknownAccount],
      [account(3), MARGIN_CODES.insufficientMargin],
    ]);
    expect(JSON.stringify(world.margin.keeper.account(world.ctx, account(1)), text)).toBe(before);
    expect(world.violated()).toBeNull();
  });

  it("lets an account below its requirement reduce", () => {
    expect(clear([fill(account(0), "buy", 600n), fill(account(1), "sell", 600n)])).toEqual({
      ok: true,
    });
    world.markets.setMark(world.ctx, BTC, 36_000n);
    expect(clear([fill(account(0), "sell", 100n), fill(account(2), "buy", 100n)], 36_000n)).toEqual(
      {
        ok: true,
      },
    );
    const more = clear([fill(account(0), "buy", 1n), fill(account(2), "sell", 1n)], 36_000n);
    expect(more.ok).toBe(false);
  });

  it("is not for fills that do not add up", () => {
    expect(() => clear([fill(account(0), "buy", 2n), fill(account(1), "sell", 1n)])).toThrow(
      "as many",
    );
    const twice = [fill(account(0), "buy", 1n), fill(account(0), "sell", 1n)];
    expect(() => clear(twice)).toThrow("one side");
    const paid = [fill(account(0), "buy", 1n, -1n), fill(account(1), "sell", 1n)];
    expect(() => clear(paid)).toThrow("no rebate");
  });
});

const text = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? `${value}` : value;
