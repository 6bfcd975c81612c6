import { MarketStatus, type MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { defaultTerms, optionTerms } from "../../derivatives/defaults.ts";
import { defaultMarkTerms } from "../../derivatives/marking/terms.ts";
import { atomically } from "../../kit/atomically.ts";
import { ModuleError } from "../../kit/errors.ts";
import { createGuardWorld, PERP } from "../../testing/guard-world.ts";
import { BTC, createWorld, HOUR_MS, maturity, optionMarket, VOL } from "../../testing/world.ts";

const ELSEWHERE = 3;

type World = ReturnType<typeof createWorld>;

function change(world: World, symbol: string, terms: MarketTerms): string {
  try {
    atomically(world.ctx, (ctx) => {
      const status = MarketStatus.MARKET_STATUS_UNSPECIFIED;
      world.keeper.updateMarket(ctx, symbol, { status, terms });
    });
  } catch (error) {
    if (error instanceof ModuleError) return `${error.codespace} ${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

/** Maintenance of the first tier; initial far above. */
function tiers(maintenancePpm: bigint): MarketTerms {
  const [, ...others] = defaultTerms().tiers;
  const lowest = { aboveQuanta: "0", initialPpm: 200_000n, maintenancePpm };
  const rest = others.map((tier) => ({ ...tier, initialPpm: 200_000n, maintenancePpm: 195_000n }));
  return { ...defaultTerms(), tiers: [lowest, ...rest] };
}

const MARKED_ELSEWHERE = {
  ...defaultMarkTerms(),
  bandMinPpm: 50_000n,
  externalFeedId: ELSEWHERE,
};

/** Owner 2 is healthy at the index of 60,000, and not at the 58,000 that the book and a feed elsewhere say. */
function lowElsewhere(): ReturnType<typeof createGuardWorld> {
  const world = createGuardWorld();
  const [maker, holder] = [world.funded(1, 100_000n), world.funded(2, 3_500n)];
  world.setPrice(ELSEWHERE, "58000");
  world.trade(PERP, maker, holder, "1", "60000");
  const [seller, buyer] = [world.funded(3, 50_000n), world.funded(4, 50_000n)];
  world.trade(PERP, seller, buyer, "0.1", "58000");
  world.place(PERP, seller, "sell 0.1 @ 58010 post");
  world.place(PERP, buyer, "buy 0.1 @ 57990 post");
  world.priced("60000");
  return world;
}

describe("terms of a market", () => {
  it("are refused when an account that is healthy would be liquidatable at once, which is named", () => {
    const world = createGuardWorld();
    const maker = world.funded(1, 100_000n);
    const [second, third] = [world.funded(2, 5_000n), world.funded(3, 4_000n)];
    world.trade(PERP, maker, second, "1", "60000");
    world.trade(PERP, maker, third, "1", "60000");
    const refused = change(world, PERP, tiers(100_000n));
    expect(refused).toMatch(/^margin 65: 2 healthy accounts would be liquidatable at once/);
    expect(refused).toContain(
      `the first is ${world.address(2)}/0: expected equity of at least 6000 (requirement)`,
    );
    expect(change(world, PERP, tiers(80_000n))).toContain(`the first is ${world.address(3)}/0`);
    // Nothing was changed.
    expect(world.keeper.terms(world.ctx, 1)?.tiers[0]?.maintenancePpm).toBe(30_000n);
    expect(change(world, PERP, tiers(60_000n))).toBe("accepted");
    expect(world.keeper.terms(world.ctx, 1)?.tiers[0]?.maintenancePpm).toBe(60_000n);
    world.priced("60000");
    expect(world.eventsOf("liquidation")).toEqual([]);
  });

  it("are not held up by who is under water already, nor by who holds something else", () => {
    const world = createGuardWorld();
    const maker = world.funded(1, 100_000n);
    const sick = world.funded(2, 3_500n);
    world.trade(PERP, maker, sick, "1", "60000");
    world.setPrice(BTC, "58000");
    // 3,500 - 2,000 - fees is below 3 % of 58,000; nobody has come to close it yet.
    expect(change(world, PERP, tiers(120_000n))).toBe("accepted");
  });

  it("may change at will where nobody holds anything, and in everything that closes nobody", () => {
    const world = createGuardWorld();
    expect(change(world, PERP, tiers(190_000n))).toBe("accepted");
    const maker = world.funded(1, 100_000n);
    const holder = world.funded(2, 13_000n);
    world.trade(PERP, maker, holder, "1", "60000");
    expect(change(world, PERP, { ...tiers(190_000n), takerFeePpm: 900 })).toBe("accepted");
    expect(change(world, PERP, tiers(30_000n))).toBe("accepted");
  });

  it("are judged by the mark that they make of the book and of a feed elsewhere", () => {
    const world = lowElsewhere();
    const mark = MARKED_ELSEWHERE;
    const refused = change(world, PERP, { ...defaultTerms(), mark });
    for (let i = 0; i < 3; i++) {
      world.block(1, () => {
        world.setPrice(BTC, "60000");
        world.setPrice(ELSEWHERE, "58000");
      });
    }
    expect(world.eventsOf("liquidation")).toEqual([]);
    expect(refused).toContain(`the first is ${world.address(2)}/0`);
    // Marked at the index, and on its way to the book with the means.
    const slow = { ...mark, externalFeedId: 0 };
    expect(change(world, PERP, { ...defaultTerms(), mark: slow })).toBe("accepted");
    expect(world.keeper.mark(world.ctx, 1)?.ticks).toBe(120_000n);
  });

  it("are judged when the market goes on, where they came while it was halted", () => {
    const world = lowElsewhere();
    const mark = MARKED_ELSEWHERE;
    const { MARKET_STATUS_ACTIVE: ACTIVE, MARKET_STATUS_HALTED: HALTED } = MarketStatus;
    const set = (status: MarketStatus, terms?: MarketTerms) =>
      atomically(world.ctx, (ctx) => world.keeper.updateMarket(ctx, PERP, { status, terms }));
    set(HALTED, { ...defaultTerms(), mark });
    expect(() => set(ACTIVE)).toThrow(`the first is ${world.address(2)}/0`);
    set(ACTIVE, defaultTerms());
    world.priced("60000");
    expect(world.eventsOf("liquidation")).toEqual([]);
  });

  it("hold for options too, whose requirement is none of tiers", () => {
    const world = createWorld();
    world.setPrice(BTC, "60000");
    world.setPrice(VOL, "0.6");
    const end = maturity(world.nowMs() + 30 * 24 * HOUR_MS);
    world.list(optionMarket("CALL", end, { strike: "60000" }));
    const [buyer, writer] = [world.funded(1, 100_000n), world.funded(2, 12_000n)];
    const mark = world.keeper.mark(world.ctx, 1)?.ticks ?? 0n;
    world.trade("CALL", writer, buyer, "1", `${mark / 2n}`);
    const { optionRisk } = optionTerms();
    if (optionRisk === undefined) throw new Error("expected a grid");
    const wider = { ...optionRisk, initialShockPpm: 400_000n, maintenanceShockPpm: 300_000n };
    const refused = change(world, "CALL", { ...optionTerms(), optionRisk: wider });
    expect(refused).toContain(`margin 65: 1 healthy accounts`);
    expect(refused).toContain(`the first is ${world.address(2)}/0`);
    expect(change(world, "CALL", optionTerms())).toBe("accepted");
  });
});
