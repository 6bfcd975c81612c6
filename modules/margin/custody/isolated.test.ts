import { MsgSetMarginMode } from "@keel/proto/gen/keel/margin/v1/tx";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { MARGIN_CODES } from "../errors.ts";
import { BTC, ETH } from "../testing/world.ts";
import { type CustodyWorld, custodyWorld, UNIT } from "./testing.ts";

let world: CustodyWorld;
let alice: AccountId;
let maker: AccountId;

const mode = (over: Partial<MsgSetMarginMode>): string =>
  world.outcome(() =>
    world.send(
      "MsgSetMarginMode",
      MsgSetMarginMode.fromPartial({ sender: world.text(1), ...over }),
    ),
  );

beforeEach(() => {
  world = custodyWorld();
  alice = world.fund(1, 0, 1_000n * UNIT);
  maker = world.fund(2, 0, 100_000n * UNIT);
});

describe("an isolated sub-account", () => {
  it("holds one market, by fill, auction, order or agreement, and no second one", () => {
    expect(mode({ isolated: true })).toBe("accepted");
    expect(world.happened("margin_mode_set").at(-1)).toMatchObject({ mode: "isolated" });
    expect(world.clear(world.trade(alice, maker, 2n))).toBe("accepted");
    expect(world.clear(world.trade(alice, maker, 2n))).toBe("accepted");
    const second = world.trade(alice, maker, 1n, { market: ETH });
    expect(world.clear(second)).toBe("isolatedMarket");
    const { keeper } = world.margin;
    expect(keeper.clearAll(world.ctx, [{ ...second, kind: "external" }], [])).toMatchObject({
      ok: false,
      code: MARGIN_CODES.isolatedMarket,
      refused: alice,
    });
    const release = { lots: 0n, feeReserveQuanta: 0n };
    const auctioned = keeper.clearAuction(world.ctx, {
      market: ETH,
      priceTicks: 50_000n,
      fills: [
        { account: alice, side: "buy", lots: 1n, feeQuanta: 0n, release },
        { account: maker, side: "sell", lots: 1n, feeQuanta: 0n, release },
      ],
    } as never);
    expect(auctioned).toMatchObject({ refused: [{ code: MARGIN_CODES.isolatedMarket }] });
    const order = {
      account: alice,
      side: "buy",
      ticks: 49_000n,
      lots: 1n,
      feeReserve: 0n,
    } as const;
    expect(world.outcome(() => world.markets.rest(world.ctx, { ...order, market: ETH }))).toBe(
      "isolatedMarket",
    );
    expect(world.outcome(() => world.markets.rest(world.ctx, { ...order, market: BTC }))).toBe(
      "accepted",
    );
    expect(world.violated()).toBeNull();
  });

  it("is no choice for one that holds two, and no choice beside the other mode", () => {
    world.clear(world.trade(alice, maker, 1n));
    world.clear(world.trade(alice, maker, 1n, { market: ETH }));
    expect(mode({ isolated: true })).toBe("isolatedMarket");
    expect(mode({ isolated: true, portfolio: true })).toBe("invalidRequest");
    world.clear(world.trade(maker, alice, 1n, { market: ETH }));
    expect(mode({ isolated: true })).toBe("accepted");
    expect(mode({ isolated: true })).toBe("invalidRequest");
    expect(mode({})).toBe("accepted");
    expect(world.clear(world.trade(alice, maker, 1n, { market: ETH }))).toBe("accepted");
  });

  it("may be chosen while short of initial margin: what it must hold stays the same", () => {
    world.clear(world.trade(alice, maker, 180n));
    world.markets.setMark(world.ctx, BTC, 49_500n);
    world.clear(world.trade(alice, maker, 1n, { priceTicks: 49_500n }));
    expect(mode({ isolated: true })).toBe("accepted");
  });

  it("loses nothing but its own: the owner's other sub-account keeps everything", () => {
    const other = world.fund(1, 1, 500n * UNIT);
    mode({ isolated: true });
    world.clear(world.trade(alice, maker, 180n));
    world.markets.setMark(world.ctx, BTC, 40_000n);
    world.endBlock();
    expect(world.equity(alice)).toBeLessThanOrEqual(0n);
    expect(world.margin.keeper.account(world.ctx, other)?.collateral).toBe(500n * UNIT);
    expect(world.violated()).toBeNull();
  });
});
