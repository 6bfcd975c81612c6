import { VaultMarketStatus } from "@keel/proto/gen/keel/vault/v1/types";
import { describe, expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../derivatives/defaults.ts";
import { testMarket } from "../derivatives/testing.ts";
import { createVaultWorld, type VaultWorld } from "../testing/vault-world.ts";
import { BTC } from "../testing/world.ts";
import { marketAccount } from "./state.ts";

const BATCH = "BTC-BATCH";
const ID = 2;
const { VAULT_MARKET_STATUS_CLOSE_ONLY: CLOSE_ONLY, VAULT_MARKET_STATUS_DEACTIVATED: DEACTIVATED } =
  VaultMarketStatus;

/** A market matched by auction alone, which the vault quotes. */
function batchWorld(): VaultWorld {
  const world = createVaultWorld();
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n };
  world.list(testMarket({ symbol: BATCH, terms: { ...defaultTerms(), auction } }));
  world.setMarket({}, BATCH);
  world.share(1, 100_000n);
  world.block(1);
  return world;
}

const open = (world: VaultWorld) => world.keeper.openOrders(world.ctx, marketAccount(ID), ID);
const lots = (world: VaultWorld): bigint =>
  world.margin.keeper.positionLots(world.ctx, marketAccount(ID), ID);

describe("quotes of the vault in a market matched by auction", () => {
  it("are collected in the block that wants them, then rest, and stay while the mark hardly moves", () => {
    const world = batchWorld();
    expect(world.quotes(ID)).toBe("a0 120120 x 33, a1 120173 x 33, b0 119880 x 33, b1 119827 x 33");
    expect(open(world).map(({ id }) => id)).toEqual([0, 0, 0, 0]);
    world.block(1, () => world.setPrice(BTC, "60010"));
    const ids = open(world).map(({ id }) => id);
    expect(ids.every((id) => id > 0)).toBe(true);
    world.block(1, () => world.setPrice(BTC, "61000"));
    expect(world.quotes(ID)).toBe("a0 122122 x 32, a1 122176 x 32, b0 121878 x 32, b1 121824 x 32");
    expect(open(world).map(({ id }) => id)).toEqual([0, 0, 0, 0]);
    expect(world.violation()).toBeNull();
  });

  it("meet the block's orders at its one price, and lean against what was bought from them", () => {
    const world = batchWorld();
    const equity = world.equity();
    world.place(BATCH, world.funded(3, 100_000n), "buy 0.05 @ 60100 id=one");
    world.block(1);
    // Two layers of 33 lots: 33 at the first, 17 of the second, all at the second's price.
    expect(lots(world)).toBe(-50n);
    expect(world.eventsOf("auction_cleared")).toMatchObject([{ market: BATCH, price: "60086.5" }]);
    const [cheapest] = open(world)
      .filter(({ side }) => side === "sell")
      .map(({ ticks }) => ticks);
    expect(cheapest).toBeGreaterThan(120_173);
    expect(world.equity()).toBeGreaterThan(equity);
    expect(world.violation()).toBeNull();
  });

  it("work a position down when the market is to be left", () => {
    const world = batchWorld();
    const trader = world.funded(3, 100_000n);
    world.place(BATCH, trader, "buy 0.033 @ 60100 id=one");
    world.block(1);
    expect(lots(world)).toBe(-33n);
    world.setMarket({ status: CLOSE_ONLY }, BATCH);
    world.block(1);
    expect(world.quotes(ID)).toMatch(/^b0 \d+ x 33$/);
    world.place(BATCH, trader, "sell 0.05 @ 59000 id=two");
    world.block(1);
    expect(lots(world)).toBe(0n);
    world.setMarket({ status: DEACTIVATED }, BATCH);
    world.block(1);
    expect(world.quotes(ID)).toBe("");
    expect(world.margin.keeper.account(world.ctx, marketAccount(ID))).toBeUndefined();
    expect(world.violation()).toBeNull();
  });

  it("go also while they are still collected, because the price is stale", () => {
    const world = batchWorld();
    world.setPrice(BTC, "60000", false);
    world.block(1, () => world.setPrice(BTC, "60000", false));
    expect(world.quotes(ID)).toBe("");
    expect(world.margin.keeper.account(world.ctx, marketAccount(ID))?.feeReserve ?? 0n).toBe(0n);
    expect(world.violation()).toBeNull();
  });

  it("are none in an opening, which collects for it", () => {
    const world = batchWorld();
    expect(world.keeper.callAuction(world.ctx, ID, 5_000, "test")).toBe(true);
    world.block(1);
    expect(world.quotes(ID)).toBe("");
    world.block(10);
    world.block(1);
    expect(world.quotes(ID).split(", ")).toHaveLength(4);
    expect(world.violation()).toBeNull();
  });
});
