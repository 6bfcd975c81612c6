import {
  QueryDeleverageRankRequest,
  QueryDeleverageRankResponse,
  QueryFundTargetsRequest,
  QueryFundTargetsResponse,
  QueryResilienceRequest,
  QueryResilienceResponse,
} from "@keel/proto/gen/keel/margin/v1/waterfall";
import { beforeEach, describe, expect, test } from "vitest";
import { createAddresses } from "../../kit/addresses.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { COIN, FEED, give, WBTC, wbtc } from "../collateral-assets/testing/assets.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";

const UNIT = 1_000_000n;
const addresses = createAddresses("keel");

let world: InsuredWorld;
beforeEach(() => {
  world = createInsuredWorld();
});

function ask<Q, A>(
  name: string,
  request: { encode(message: Q): { finish(): Uint8Array } },
  response: { decode(bytes: Uint8Array): A },
  message: Q,
): A {
  const route = world.margin.module.queries.find(({ path }) => path.endsWith(`/${name}`));
  if (route === undefined) throw new Error(`no query ${name}`);
  return response.decode(route.handle(world.ctx, request.encode(message).finish()));
}

const resilience = (feedId = BTC) =>
  ask("Resilience", QueryResilienceRequest, QueryResilienceResponse, { feedId });
const targets = () => ask("FundTargets", QueryFundTargetsRequest, QueryFundTargetsResponse, {});
const ranks = (number: number, lots = "") =>
  ask("DeleverageRank", QueryDeleverageRankRequest, QueryDeleverageRankResponse, {
    owner: addresses.format(world.owner(number)),
    subaccount: 0,
    lots,
  }).positions;

describe("resilience", () => {
  test("is the smallest move, to a millionth, whose shortfall is more than the funds have", () => {
    const long = world.funded(1, 10n * UNIT);
    const short = world.funded(2, 30n * UNIT);
    world.trade(long, short, 100n, 1_000n);
    world.endow(5n * UNIT, "major");
    world.endow(7n * UNIT, "minor");
    const { resources, down, up, riskClass } = resilience();
    expect([riskClass, resources]).toEqual(["major", "5000000"]);
    // Ten units of its own and five of the fund are gone at −15 %; one millionth more is a ten-thousandth of a unit.
    expect(down).toEqual({ movePpm: -150_001n, shortfall: "5000100", accounts: 1 });
    expect(up).toEqual({ movePpm: 350_001n, shortfall: "5000100", accounts: 1 });
  });

  test("counts what other classes may be assessed for, and what is open already", () => {
    const long = world.funded(1, 10n * UNIT);
    const short = world.funded(2, 1_000n * UNIT);
    world.trade(long, short, 100n, 1_000n);
    world.endow(10n * UNIT, "minor");
    world.insurance.keeper.setFund(world.ctx, DENOM, "minor", 500_000);
    expect(resilience().down?.movePpm).toBe(-150_001n);
    const other = world.funded(3, UNIT);
    world.trade(other, short, 20n, 1_000n, ETH);
    // A unit is missing there, for which the fund of that class stands.
    world.markets.setMark(world.ctx, ETH, 900n);
    expect(resilience().down?.movePpm).toBe(-140_001n);
  });

  test("says that no move looked at would exhaust the funds", () => {
    const long = world.funded(1, 200n * UNIT);
    const short = world.funded(2, 2_000n * UNIT);
    world.trade(long, short, 100n, 1_000n);
    const { down, up, curve } = resilience();
    expect([down, up]).toEqual([undefined, undefined]);
    expect(curve.every(({ shortfall }) => shortfall === "0")).toBe(true);
  });

  test("agrees with what marks at that move would leave missing", () => {
    const pairs: [number, bigint, bigint][] = [
      [1, 9n, 80n],
      [3, 20n, 150n],
      [5, 31n, 90n],
    ];
    for (const [number, units, lots] of pairs) {
      const long = world.funded(number, units * UNIT);
      world.trade(long, world.funded(number + 1, 500n * UNIT), lots, 1_000n);
    }
    for (const { movePpm, shortfall } of resilience().curve) {
      if (movePpm % 1_000n !== 0n || movePpm < -900_000n) continue;
      world.markets.setMark(world.ctx, BTC, 1_000n + movePpm / 1_000n);
      let missing = 0n;
      for (let number = 1; number <= 6; number++) {
        const id = world.margin.state.accounts;
        id.each(world.ctx, (account) => {
          if (account.charCodeAt(19) !== number) return;
          const equity = world.equity(account);
          if (equity < 0n) missing -= equity;
        });
      }
      expect(shortfall).toBe(missing.toString());
    }
  });

  test("counts collateral assets at what they count for maintenance", () => {
    world.prices.set(FEED, { mantissa: 1_000n, exponent: 0, confidence: 0n, fresh: true });
    world.margin.keeper.assets.set(world.ctx, WBTC, wbtc());
    const long = world.funded(1, 5n * UNIT);
    world.trade(long, world.funded(2, 500n * UNIT), 100n, 1_000n);
    expect(resilience().down?.movePpm).toBe(-50_001n);
    // A hundredth of a coin at 1,000, of which 95 % count.
    give(world, 1, COIN / 100n);
    expect(resilience().down?.movePpm).toBe(-145_001n);
    expect(targets().all?.coverTwo).toBe((40n * UNIT - 145n * (UNIT / 10n)).toString());
  });

  test("of a feed that no market follows is refused", () => {
    expect(() => resilience(99)).toThrow("no market follows feed 99");
  });
});

describe("targets", () => {
  test("name the two owners who would miss most, whatever their sub-accounts, in the worst stress", () => {
    const rich = world.funded(9, 10_000n * UNIT);
    for (const [number, units] of [
      [1, 10n],
      [2, 20n],
      [3, 15n],
    ] as const) {
      world.trade(world.funded(number, units * UNIT), rich, 100n, 1_000n);
    }
    const { funds, all } = targets();
    const major = funds.find(({ riskClass }) => riskClass === "major");
    // At −40 % they miss 30, 20 and 25.
    expect(major).toMatchObject({
      coverTwo: (55n * UNIT).toString(),
      coverTwoMovePpm: -400_000n,
      coverTwoFeedId: 0,
      openInterestShare: (300n * 5_000n).toString(),
      balance: "0",
      fundedPpm: "0",
    });
    expect(major?.target).toBe(major?.coverTwo);
    expect(all?.coverTwo).toBe(major?.coverTwo);
    expect(funds.find(({ riskClass }) => riskClass === "minor")).toMatchObject({
      target: "0",
      fundedPpm: "",
    });
    world.endow(11n * UNIT, "major");
    expect(targets().funds.find(({ riskClass }) => riskClass === "major")?.fundedPpm).toBe(
      "200000",
    );
  });

  test("hold the tail beyond maintenance on the share that stands at it", () => {
    world.trade(world.funded(1, 900n * UNIT), world.funded(2, 900n * UNIT), 1_000n, 1_000n);
    world.set({
      tail: {
        exceedancePpm: 10_000,
        thresholdPpm: 121_500,
        alphaPpm: 4_300_000,
        atMarginPpm: 500_000,
      },
      stressMovesPpm: [10_000n],
    });
    // Half of 1,000 units, and 22.04 % of it: the worst thousandth of days beyond a margin of 5 %.
    const tail = targets().all?.tailShortfall ?? "";
    expect(tail.slice(0, 4)).toBe("1102");
    expect(tail.length).toBe(9);
    expect(targets().all?.target).toBe(tail);
  });
});

describe("the rank", () => {
  test("says how many lots are closed before a position is touched, and holds when they are", () => {
    const long = world.funded(1, 1_000n * UNIT);
    const sizes = [10n, 40n, 50n];
    for (const [i, lots] of sizes.entries()) {
      world.trade(long, world.funded(2 + i, 10n * UNIT), lots, 1_000n);
    }
    expect(ranks(4)[0]).toMatchObject({ rank: 1, accounts: 3, lotsBefore: "0", lamp: 5 });
    expect(ranks(3)[0]).toMatchObject({
      rank: 2,
      lotsBefore: "10",
      leveragePpm: "4000000",
      lamp: 3,
    });
    // 40 above the level of the last in the first, 30 in the second.
    expect(ranks(2, "70")[0]).toMatchObject({
      rank: 3,
      lotsBefore: "70",
      sideLots: "100",
      lamp: 1,
      closedLots: "0",
      proRataLots: "7",
    });
    expect(ranks(2, "73")[0]?.closedLots).toBe("1");
    expect(ranks(4, "73")[0]?.closedLots).toBe("41");
  });

  test("leaves of each position the share that deleveraging leaves, while that is enough", () => {
    world.set({ deleverageSharePpm: 500_000 });
    const long = world.funded(1, 1_000n * UNIT);
    for (const [i, lots] of [10n, 40n, 50n].entries()) {
      world.trade(long, world.funded(2 + i, 10n * UNIT), lots, 1_000n);
    }
    const closed = (need: string) => [2, 3, 4].map((who) => ranks(who, need)[0]?.closedLots);
    // Uncapped it would be 0, 20 and 30; half of each is enough for as many.
    expect(closed("50")).toEqual(["5", "20", "25"]);
    // And is not for one more.
    expect(closed("70")).toEqual(["0", "30", "40"]);
  });

  test("leaves a hedge's lots out while hedges come last", () => {
    world.set({ hedgesLast: true });
    const template = world.markets.terms(world.ctx, BTC);
    if (template === undefined) throw new Error("no terms");
    world.markets.list(world.ctx, { ...template, id: 3, symbol: "BTC-DATED" });
    world.markets.setMark(world.ctx, 3, 1_000n);
    const rich = world.funded(9, 1_000n * UNIT);
    const short = world.funded(1, 10n * UNIT);
    world.trade(rich, short, 40n, 1_000n);
    world.trade(short, rich, 25n, 1_000n, 3);
    const [here] = ranks(1, "20");
    expect(here).toMatchObject({ lots: "-40", unhedgedLots: "15", closedLots: "20" });
    world.set({ hedgesLast: false });
    expect(ranks(1)[0]?.unhedgedLots).toBe("40");
  });

  test("refuses lots that are none", () => {
    expect(() => ranks(1, "-5")).toThrow("lots of 0 or more");
  });
});
