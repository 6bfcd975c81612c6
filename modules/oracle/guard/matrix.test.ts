/** What each level of a price allows, on the real markets and the real clearing ledger. */
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { linearPerpetual } from "../../derivatives/defaults.ts";
import { accountId } from "../../kit/account-id.ts";
import { ModuleError } from "../../kit/errors.ts";
import { BTC, createWorld, UNIT, type World } from "../../testing/world.ts";
import { defaultFeed } from "../feeds.ts";
import { unwatched } from "./breaker.ts";
import { type PriceLevel, type PriceStage, stageOf } from "./ladder.ts";
import { defaultGuard } from "./terms.ts";

const PERP = "BTC-USD-PERP";
const guard = defaultGuard();
const feed = { ...defaultFeed({ id: BTC, symbol: "BTC-USD", exponent: -8 }), guard };

const AGES: Readonly<Record<PriceLevel, bigint>> = {
  fresh: 5n,
  reduceOnly: 15n,
  noWithdrawals: 60n,
  stale: 61n,
};

/** As the oracle would say it: of this age, in a block the slow lane leaves out or not. */
function stageAt(level: PriceLevel, slow = false): PriceStage {
  const watch = { ...unwatched(BTC), slow };
  const now = { ageNs: AGES[level] * 1_000_000_000n, height: 12 };
  const stage = stageOf(feed, watch, now);
  if (stage === undefined || stage.level !== level) throw new Error(`expected level ${level}`);
  return stage;
}

/** Account 1 is long 1, account 2 short 1, 3 rests on both sides, 4 holds collateral alone. */
function market(): World & { readonly at: (price: string, stage: PriceStage) => void } {
  const world = createWorld();
  world.setPrice(BTC, "60000");
  world.list(
    linearPerpetual({
      symbol: PERP,
      baseAsset: "BTC",
      quoteAsset: "USD",
      feedId: BTC,
      tickSize: "0.5",
      lotSize: "0.001",
    }),
  );
  world.block();
  const [long, short] = [world.funded(1, 6_000n), world.funded(2, 60_000n)];
  const maker = world.funded(3, 600_000n);
  world.trade(PERP, short, long, "1", "60000");
  world.place(PERP, maker, "buy 2 @ 59500 post");
  world.place(PERP, maker, "sell 2 @ 60500 post");
  world.funded(4, 1_000n);
  return {
    ...world,
    at: (price, stage) => world.setPrice(BTC, price, stage.level === "fresh", { stage }),
  };
}

const refused = (act: () => unknown): string | null => {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof ModuleError) return error.message;
    throw error;
  }
};

type World3 = ReturnType<typeof market>;

/** Whether each is done; each in a world of its own. */
const ACTIONS: Readonly<Record<string, (world: World3, stage: PriceStage) => boolean>> = {
  open(world, stage) {
    world.at("60000", stage);
    return (
      refused(() => world.place(PERP, accountId(world.owner(1), 0), "buy 0.1 @ 60500 ioc")) === null
    );
  },
  reduce(world, stage) {
    world.at("60000", stage);
    const filled = () =>
      world.place(PERP, accountId(world.owner(1), 0), "sell 0.5 @ 59500 ioc reduce");
    return refused(() => expect(filled().filledSize).toBe("0.5")) === null;
  },
  "withdraw against a position"(world, stage) {
    world.at("60000", stage);
    const id = accountId(world.owner(2), 0);
    const act = () => world.margin.keeper.withdraw(world.ctx, id, UNIT);
    return refused(act) === null;
  },
  "withdraw without one"(world, stage) {
    world.at("60000", stage);
    const id = accountId(world.owner(4), 0);
    const act = () => world.margin.keeper.withdraw(world.ctx, id, UNIT);
    return refused(act) === null;
  },
  liquidate(world, stage) {
    world.place(PERP, accountId(world.owner(3), 0), "buy 2 @ 57000 post");
    // 6,000 of collateral, 4,500 lost, 1,665 of maintenance.
    world.at("55500", stage);
    world.block(0, () => world.at("55500", stage));
    return world.eventsOf("liquidation").length > 0;
  },
};

const EXPECTED: Readonly<Record<string, readonly boolean[]>> = {
  //            fresh, reduceOnly, noWithdrawals, stale
  open: [true, false, false, false],
  reduce: [true, true, true, false],
  "withdraw against a position": [true, true, false, false],
  "withdraw without one": [true, true, true, true],
  liquidate: [true, true, true, false],
};

describe("level by action", () => {
  for (const [action, act] of Object.entries(ACTIONS)) {
    it(`${action} as the ladder says`, () => {
      const levels: PriceLevel[] = ["fresh", "reduceOnly", "noWithdrawals", "stale"];
      const done = levels.map((level) => act(market(), stageAt(level)));
      expect(done).toEqual(EXPECTED[action]);
    });
  }

  it("the slow lane holds back liquidations alone", () => {
    const stage = stageAt("fresh", true);
    expect(Object.keys(ACTIONS).filter((action) => ACTIONS[action]?.(market(), stage))).toEqual([
      "open",
      "reduce",
      "withdraw against a position",
      "withdraw without one",
    ]);
  });

  it("whoever the slow lane spared is closed in the first block that liquidates, without any new price", () => {
    const world = market();
    world.place(PERP, accountId(world.owner(3), 0), "buy 2 @ 57000 post");
    for (let i = 0; i < 3; i++) world.block(1, () => world.at("55500", stageAt("fresh", true)));
    expect(world.eventsOf("liquidation")).toEqual([]);
    world.block(1, () => world.at("55500", stageAt("fresh")));
    world.block(1, () => world.at("55500", stageAt("fresh", true)));
    expect(world.eventsOf("liquidation")).toHaveLength(1);
    expect(world.violation()).toBeNull();
  });

  it("says why", () => {
    const world = market();
    world.at("60000", stageAt("reduceOnly"));
    expect(
      refused(() => world.place(PERP, accountId(world.owner(1), 0), "buy 0.1 @ 60500 ioc")),
    ).toBe(`the price of ${PERP} is late: reduce-only orders only`);
    world.at("60000", stageAt("stale"));
    expect(
      refused(() => world.place(PERP, accountId(world.owner(1), 0), "buy 0.1 @ 60500 ioc")),
    ).toBe(`the price of ${PERP} is stale: cancels only`);
    expect(world.violation()).toBeNull();
  });

  it("a market whose terms say so opens with an auction after the silence", () => {
    const world = market();
    const found = world.venue.state.markets.get(world.ctx, 1);
    if (found?.terms === undefined) throw new Error("no market");
    const auction = {
      matching: MatchingMode.MATCHING_MODE_CONTINUOUS,
      feePpm: 0,
      ordersMax: 100,
      openingMs: 2_000n,
      interruptionMs: guard.noLiquidationAgeMs,
      inclusionLists: false,
    };
    world.keeper.updateMarket(world.ctx, PERP, {
      status: 0,
      terms: { ...found.terms, auction },
    });
    world.block(1, () => world.at("60000", stageAt("fresh")));
    for (let i = 0; i < 3; i++) world.block(20, () => world.at("60000", stageAt("stale")));
    world.block(1, () => world.at("60000", stageAt("fresh")));
    expect(world.eventsOf("auction_opening").at(-1)).toMatchObject({ reason: "interruption" });
    // Margin sees a halt: nothing is liquidated into the opening.
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("halted");
    expect(
      refused(() => world.place(PERP, accountId(world.owner(3), 0), "buy 0.1 @ 60500 id=a")),
    ).toBeNull();
  });
});
