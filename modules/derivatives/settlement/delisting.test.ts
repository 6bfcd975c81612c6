/** A perpetual has no expiry: the authority ends it. */
import { MarketStatus, type MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { ModuleError } from "../../kit/errors.ts";
import {
  BTC,
  createWorld,
  futureMarket,
  HOUR_MS,
  maturity,
  START_MS,
  UNIT,
  type World,
} from "../../testing/world.ts";
import { DERIVATIVES_CODES } from "../errors.ts";
import { testMarket } from "../testing.ts";

const COIN = 3;
const PERP = "DOG-PERP";
const {
  MARKET_STATUS_ACTIVE: ACTIVE,
  MARKET_STATUS_CLOSE_ONLY: CLOSE_ONLY,
  MARKET_STATUS_SETTLING: SETTLING,
} = MarketStatus;

/** One lot is one coin, a tick of it a quarter of a unit of money. Owner 1 has bought a hundred of owner 2 at 60. */
function opened(options: Parameters<typeof createWorld>[0] = {}): World {
  const world = createWorld(options);
  world.setPrice(COIN, "60");
  world.list(
    testMarket({
      ...{ symbol: PERP, baseAsset: "DOG", feedId: COIN, tickSize: "0.25", lotSize: "1" },
    }),
  );
  world.trade(PERP, world.funded(2, 1_000n), world.funded(1, 1_000n), "100", "60");
  return world;
}

function set(world: World, status: MarketStatus, symbol = PERP, terms?: MarketTerms): void {
  world.keeper.updateMarket(world.ctx, symbol, { status, terms });
}

function codeOf(run: () => void): number {
  try {
    run();
  } catch (error) {
    if (error instanceof ModuleError && error.codespace === "derivatives") return error.code;
    throw error;
  }
  return 0;
}

function blocks(world: World, count: number, price: string, fresh = true): void {
  for (let i = 0; i < count; i++) {
    world.setPrice(COIN, price, fresh);
    world.block();
    expect(world.violation()).toBeNull();
  }
}

/** Close-only for as long as it has to be. */
function notice(world: World, price = "60"): void {
  set(world, CLOSE_ONLY);
  world.ctx.nextBlock(3_600);
  world.setPrice(COIN, price);
}

const statusOf = (world: World) => world.keeper.terms(world.ctx, 1)?.status;

describe("a perpetual that the authority ends", () => {
  it("cancels orders, pays every position at the mark of that moment, and can be listed anew", () => {
    const world = opened();
    const [long, short] = [world.funded(1, 1n), world.funded(2, 1n)];
    const before = [world.collateral(long), world.collateral(short)] as const;
    world.place(PERP, short, "buy 10 @ 59 post");
    notice(world, "63");
    set(world, SETTLING);
    expect(statusOf(world)).toBe("settling");
    expect(() => world.place(PERP, short, "buy 1 @ 63")).toThrow();
    // What comes after has no part in it.
    blocks(world, 3, "10");
    expect(statusOf(world)).toBe("settled");
    expect(world.eventsOf("market_settled")).toMatchObject([{ market: PERP, price: "63" }]);
    expect(world.eventsOf("order_cancelled")).toMatchObject([{ reason: "expired" }]);
    expect(world.collateral(long)).toBe(before[0] + 300n * UNIT);
    expect(world.collateral(short)).toBe(before[1] - 300n * UNIT);
    world.setPrice(COIN, "10");
    const again = { symbol: PERP, baseAsset: "DOG", feedId: COIN, tickSize: "0.25", lotSize: "1" };
    expect(world.list(testMarket(again))).toBe(2);
    blocks(world, 2, "10");
  });

  it("lets go of who holds a coin that no order can name the price of", () => {
    const world = opened();
    const [long, short] = [world.funded(1, 9_000n), world.funded(2, 1n)];
    const before = [world.collateral(long), world.collateral(short)] as const;
    blocks(world, 2, "0.0001");
    expect(world.keeper.mark(world.ctx, 1)).toMatchObject({ fresh: false, quantaPerLot: 0n });
    expect(() => world.place(PERP, short, "buy 100 @ 0.5")).toThrow("stale");
    notice(world, "0.0001");
    world.setPrice(COIN, "0.0001", false);
    expect(codeOf(() => set(world, SETTLING))).toBe(DERIVATIVES_CODES.stalePrice);
    world.setPrice(COIN, "0.0001");
    set(world, SETTLING);
    blocks(world, 3, "0.0001");
    expect(statusOf(world)).toBe("settled");
    expect(world.collateral(long)).toBe(before[0] - 6_000n * UNIT);
    expect(world.collateral(short)).toBe(before[1] + 6_000n * UNIT);
  });

  it("quarantined on the way goes on settling when the authority says so", () => {
    const world = opened();
    notice(world);
    set(world, SETTLING);
    world.keeper.quarantine(world.ctx, 1, "a test");
    blocks(world, 2, "60");
    expect(statusOf(world)).toBe("quarantined");
    set(world, SETTLING);
    blocks(world, 3, "60");
    expect(statusOf(world)).toBe("settled");
  });

  it("leaves a loss to the funds, as any settlement does", () => {
    const world = opened({ fundUnits: 10_000n });
    notice(world, "40");
    set(world, SETTLING);
    blocks(world, 3, "40");
    expect(statusOf(world)).toBe("settled");
    const [loss] = world.eventsOf("loss");
    expect(loss).toMatchObject({ cause: "settlement" });
    expect(world.margin.state.deficits.size(world.ctx)).toBe(0);
    expect(world.collateral(world.funded(1, 1n))).toBe(UNIT);
  });

  it("was close-only before, has a price, and no terms to be changed with it; a dated market has an end of its own", () => {
    const world = opened();
    const { invalidTerms, stalePrice } = DERIVATIVES_CODES;
    expect(codeOf(() => set(world, SETTLING))).toBe(invalidTerms);
    notice(world);
    const { terms } = testMarket();
    expect(codeOf(() => set(world, SETTLING, PERP, terms))).toBe(invalidTerms);
    world.setPrice(COIN, "60", false);
    expect(codeOf(() => set(world, SETTLING))).toBe(stalePrice);
    const stage = { reduces: true, withdraws: false, liquidates: false };
    world.setPrice(COIN, "60", true, { stage });
    expect(codeOf(() => set(world, SETTLING))).toBe(stalePrice);
    expect(statusOf(world)).toBe("closeOnly");
    world.setPrice(COIN, "60");
    set(world, ACTIVE);
    expect(statusOf(world)).toBe("active");
    world.setPrice(BTC, "60000");
    world.list(futureMarket("F", maturity(START_MS + 100 * HOUR_MS)));
    set(world, CLOSE_ONLY, "F");
    expect(codeOf(() => set(world, SETTLING, "F"))).toBe(invalidTerms);
    // Anew: from when it was close-only again, whatever else was said of it meanwhile.
    set(world, CLOSE_ONLY);
    world.ctx.nextBlock(3_599);
    world.setPrice(COIN, "60");
    set(world, CLOSE_ONLY);
    expect(() => set(world, SETTLING)).toThrow("or later");
    world.ctx.nextBlock(1);
    set(world, SETTLING);
    for (const status of [SETTLING, ACTIVE])
      expect(codeOf(() => set(world, status))).toBe(DERIVATIVES_CODES.marketExpired);
  });
});
