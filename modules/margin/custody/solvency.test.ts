import {
  QueryMarketSolvencyRequest,
  QueryMarketSolvencyResponse,
} from "@keel/proto/gen/keel/margin/v1/custody";
import { MsgTransfer, MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { MARGIN_CODES } from "../errors.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";
import { splitByMarket } from "../waterfall/attribution.ts";
import { type CustodyWorld, custodyWorld, UNIT, withdrawal } from "./testing.ts";

let world: CustodyWorld;
let loser: AccountId;
let winner: AccountId;
let holder: AccountId;
let bystander: AccountId;

/** Closing at mark only: what is missing goes to the queue and nobody else pays. */
function setUp(marketGates = true): void {
  world = custodyWorld({ deleverageBandPpm: 0n, marketGates });
  loser = world.fund(1, 0, 60n * UNIT);
  winner = world.fund(2, 0, 60n * UNIT);
  holder = world.fund(3, 0, 1_000n * UNIT);
  bystander = world.fund(4, 0, 1_000n * UNIT);
  world.fund(5, 0, 1_000n * UNIT);
  world.clear(world.trade(loser, winner, 10n));
  world.clear(world.trade(world.sub(5, 0), holder, 10n));
  world.clear(world.trade(bystander, world.sub(5, 0), 10n, { market: ETH }));
}

beforeEach(() => setUp());

/** The loser ends 40 below zero. */
function crash(ticks = 40_000n): void {
  world.markets.setMark(world.ctx, BTC, ticks);
  world.endBlock();
  expect(world.violated()).toBeNull();
}

const withdraw = (owner: number, amount = UNIT): string =>
  world.outcome(() =>
    world.send(
      "MsgWithdraw",
      MsgWithdraw.fromPartial({ sender: world.text(owner), denom: DENOM, amount: `${amount}` }),
    ),
  );

function balances() {
  const query = world.margin.module.queries.find(({ path }) => path.endsWith("/MarketSolvency"));
  const asked = QueryMarketSolvencyRequest.encode({ market: 0 }).finish();
  const answer = query?.handle(world.ctx, asked) ?? new Uint8Array(0);
  return QueryMarketSolvencyResponse.decode(answer).markets;
}

describe("a market that is short", () => {
  it("is told by what its losers could not pay, and who stands behind it", () => {
    crash();
    // Winner 160 and holder 1,100, of whom one was closed at mark against the loser; the other long has 900.
    expect(balances()).toEqual([
      {
        solvency: {
          market: BTC,
          shortfall: `${40n * UNIT}`,
          covered: "0",
          backing: `${2_160n * UNIT}`,
          gatedUntilNs: world.ctx.header.timeNs + 600_000_000_000n,
        },
        cash: `${-(world.margin.keeper.ledger(world.ctx, BTC)?.realised ?? 0n)}`,
        balance: `${2_120n * UNIT}`,
      },
    ]);
    expect(world.happened("market_short")[0]).toMatchObject({ market: "1", gate: "market" });
    expect(world.happened("withdrawals_gated")).toEqual([]);
  });

  it("is counted once a minute, however often its shortfall grows, but at once when that is beyond what was counted", () => {
    world.markets.setStatus(world.ctx, BTC, "halted");
    const later = (seconds: number, ticks: bigint) => {
      world.ctx.nextBlock(seconds);
      crash(ticks);
      return world.happened("market_short").map(({ gate }) => gate);
    };
    expect(later(1, 40_000n)).toEqual(["market"]);
    expect(later(1, 39_900n)).toEqual(["market", "none"]);
    expect(later(58, 39_800n)).toEqual(["market", "none", "none"]);
    expect(later(1, 39_700n)).toEqual(["market", "none", "none", "market"]);
    const { solvency } = world.margin.state.custody;
    const known = solvency.get(world.ctx, BTC);
    expect(known?.shortfall).toBe(`${43n * UNIT}`);
    if (known === undefined) return;
    solvency.set(world.ctx, BTC, { ...known, backing: `${44n * UNIT}` });
    expect(later(1, 39_600n).at(-1)).toBe("none");
    expect(later(1, 39_500n).at(-1)).toBe("market");
  });

  it("holds those who hold it, and nobody else", () => {
    crash();
    expect([2, 3, 5].map((owner) => withdraw(owner))).toEqual([
      "withdrawalsGated",
      "withdrawalsGated",
      "withdrawalsGated",
    ]);
    expect(withdraw(4)).toBe("accepted");
    // After its time everyone may go.
    world.ctx.nextBlock(600);
    expect([2, 3, 5].map((owner) => withdraw(owner))).toEqual(["accepted", "accepted", "accepted"]);
    expect(world.violated()).toBeNull();
  });

  it("holds a cross-margined account whole, by transfer, port and along with a position too", () => {
    crash();
    const both = world.sub(5, 0);
    const of = { sender: world.text(5), toSubaccount: 1, denom: DENOM, amount: "1" };
    const transfer = (): unknown => world.send("MsgTransfer", MsgTransfer.fromPartial(of));
    expect(world.outcome(transfer)).toBe("withdrawalsGated");
    const { keeper } = world.margin;
    expect(world.outcome(() => keeper.portAccount(world.ctx, both, world.sub(9, 9)))).toBe(
      "withdrawalsGated",
    );
    const moved = world.trade(both, bystander, 1n, { market: ETH, kind: "transfer" });
    const move = { from: both, to: bystander, quanta: 1n };
    expect(keeper.clearAll(world.ctx, [moved], [move])).toMatchObject({
      code: MARGIN_CODES.withdrawalsGated,
      refused: both,
    });
  });

  it("holds approved withdrawals and top-ups as well", () => {
    world.setPolicy({ topUpPerDay: `${UNIT}` }, 1, 7);
    const rich = world.fund(1, 7, 1_000n * UNIT);
    expect(world.clear(world.trade(rich, holder, 1n))).toBe("accepted");
    const id = world.propose(11, withdrawal(world.text(77), 1n), 60_000, 7);
    world.approve(12, id, false, 7);
    crash();
    expect(world.outcome(() => world.execute(11, id, 7))).toBe("withdrawalsGated");
  });

  it("opens no door to who closes the position meanwhile, or was closed for the loss", () => {
    crash();
    const held = [winner, holder].filter(
      (id) => world.margin.keeper.positionLots(world.ctx, id, BTC) !== 0n,
    );
    // One of the two was the other side when the loser was closed.
    expect(held.length).toBeLessThan(3);
    const mark = { priceTicks: 40_000n };
    expect(world.clear(world.trade(bystander, world.sub(5, 0), 10n, mark))).toBe("accepted");
    expect(withdraw(5)).toBe("withdrawalsGated");
    expect(world.margin.state.custody.exits.size(world.ctx)).toBeGreaterThan(0);
    world.ctx.nextBlock(601);
    world.endBlock();
    world.ctx.nextBlock();
    world.endBlock();
    expect(world.margin.state.custody.exits.size(world.ctx)).toBe(0);
    expect(withdraw(5)).toBe("accepted");
    expect(world.violated()).toBeNull();
  });

  it("is the one where the account lost, not the one where it won", () => {
    const won = world.trade(world.sub(5, 0), loser, 1n, { market: ETH });
    expect(world.clear(won)).toBe("accepted");
    world.markets.setMark(world.ctx, ETH, 45_000n);
    crash(38_000n);
    // 60 − 120 + 5.
    expect(balances().map(({ solvency }) => [solvency?.market, solvency?.shortfall])).toEqual([
      [BTC, `${55n * UNIT}`],
    ]);
  });

  it("shares with another by what was lost in each", () => {
    world.clear(world.trade(loser, world.sub(5, 0), 1n, { market: ETH }));
    world.markets.setMark(world.ctx, ETH, 40_000n);
    crash();
    // 100 lost in one, 10 in the other, 60 there: 50 missing.
    const parts = balances().map(({ solvency }) => BigInt(solvency?.shortfall ?? "0"));
    expect(parts).toEqual([45_454_545n, 4_545_455n]);
  });

  it("counts what insurance pays for it, at once and when it comes later", () => {
    world.insurance.give(world.ctx, 25n * UNIT);
    crash();
    expect(balances()[0]?.solvency).toMatchObject({
      covered: `${25n * UNIT}`,
      shortfall: `${15n * UNIT}`,
    });
    world.insurance.give(world.ctx, 100n * UNIT);
    world.ctx.nextBlock();
    world.endBlock();
    expect(balances()[0]?.solvency).toMatchObject({ covered: `${40n * UNIT}`, shortfall: "0" });
    expect(world.margin.state.custody.losses.size(world.ctx)).toBe(0);
    expect(world.violated()).toBeNull();
  });

  it("counts it of an expired market too", () => {
    world.insurance.give(world.ctx, 25n * UNIT);
    world.markets.expire(world.ctx, BTC, 40n * UNIT);
    world.endBlock();
    expect(balances()[0]?.solvency).toMatchObject({
      market: BTC,
      covered: `${25n * UNIT}`,
      shortfall: `${15n * UNIT}`,
    });
    expect(world.violated()).toBeNull();
  });

  it("closes withdrawals for all when those who hold it cannot bear what is missing", () => {
    world = custodyWorld({ deleverageBandPpm: 0n, marketGates: true });
    const [first, second, third] = [1, 2, 3].map((n) => world.fund(n, 0, 60n * UNIT)) as [
      AccountId,
      AccountId,
      AccountId,
    ];
    bystander = world.fund(4, 0, 1_000n * UNIT);
    world.clear(world.trade(first, second, 10n));
    // The winner of the first 5,000 ticks closes, and is gone with it.
    world.markets.setMark(world.ctx, BTC, 45_000n);
    world.fund(3, 0, 90n * UNIT);
    world.clear(world.trade(second, third, 10n, { priceTicks: 45_000n }));
    expect(withdraw(2, 110n * UNIT)).toBe("accepted");
    // Who took over loses elsewhere what it wins here.
    world.clear(world.trade(third, bystander, 20n, { market: ETH }));
    world.markets.setMark(world.ctx, ETH, 36_000n);
    crash(30_000n);
    expect(balances()[0]).toMatchObject({ balance: `${-120n * UNIT}` });
    expect(world.happened("market_short")[0]).toMatchObject({ gate: "all" });
    expect(withdraw(4)).toBe("withdrawalsGated");
  });

  it("is nobody's and everybody's business while it is off", () => {
    setUp(false);
    crash();
    expect(balances()).toEqual([]);
    expect(world.happened("withdrawals_gated")).toHaveLength(1);
    expect([3, 4].map((owner) => withdraw(owner))).toEqual([
      "withdrawalsGated",
      "withdrawalsGated",
    ]);
  });

  it("may be turned on and off with a shortfall in the queue", () => {
    setUp(false);
    crash();
    const { params, custody } = world.margin.state;
    params.set(world.ctx, { ...params.require(world.ctx), marketGates: true });
    world.ctx.nextBlock();
    world.endBlock();
    expect(world.violated()).toBeNull();
    // Nobody remembers where it was lost.
    expect(balances().map(({ solvency }) => solvency?.market)).toEqual([0]);
    params.set(world.ctx, { ...params.require(world.ctx), marketGates: false });
    world.ctx.nextBlock();
    world.endBlock();
    expect([custody.solvency, custody.losses].map((one) => one.size(world.ctx))).toEqual([0, 0]);
    expect(world.violated()).toBeNull();
  });
});

it("splits an amount exactly, whatever it is split by", () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, 10n ** 20n),
      fc.array(fc.bigInt(0n, 10n ** 20n), { minLength: 1, maxLength: 6 }),
      (total, amounts) => {
        const parts = splitByMarket(
          total,
          amounts.map((amount, market) => ({ market: market + 1, amount })),
        );
        expect(parts.reduce((sum, { amount }) => sum + amount, 0n)).toBe(total);
        expect(parts.every(({ amount }) => amount >= 0n)).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});
