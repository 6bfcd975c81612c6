import { MsgSetMarginMode } from "@keel/proto/gen/keel/margin/v1/tx";
import { expect, test } from "vitest";
import { BTC, DENOM } from "../testing/world.ts";
import { type CustodyWorld, custodyWorld, UNIT } from "./testing.ts";

/** Without it every order once, with one kind of account and of other side each. */
const EVERY = process.env["KEEL_FAULT_ACCOUNTS"] !== undefined;
const LOTS = 100n;
/** 8 units a lot below the entry: 600 units of collateral end 200 below zero. */
const FALLEN = 42_000n;
const MISSING = 200n * UNIT;
const IN = 150n * UNIT;
const OUT = 40n * UNIT;

const STEPS = ["into", "out", "fall", "fund", "block"] as const;
type Step = (typeof STEPS)[number];

function orders(steps: readonly Step[]): Step[][] {
  if (steps.length === 0) return [[]];
  return steps.flatMap((first) =>
    orders(steps.filter((one) => one !== first)).map((rest) => [first, ...rest]),
  );
}

interface Case {
  readonly isolated: boolean;
  /** Of the only other side: what is left to it after its gain. */
  readonly rich: boolean;
  readonly over: bigint;
}

function open({ isolated, rich }: Case): CustodyWorld {
  const world = custodyWorld();
  const long = world.fund(1, 0, 600n * UNIT);
  world.fund(1, 1, 300n * UNIT);
  const short = world.fund(2, 0, rich ? 100_000n * UNIT : 501n * UNIT);
  const sender = world.text(1);
  const mode = MsgSetMarginMode.fromPartial({ sender, isolated });
  if (isolated) expect(world.outcome(() => world.send("MsgSetMarginMode", mode))).toBe("accepted");
  expect(world.clear(world.trade(long, short, LOTS))).toBe("accepted");
  return world;
}

function perform(world: CustodyWorld, step: Step, fund: bigint): void {
  const { ctx, margin, markets } = world;
  const move = (from: number, to: number, amount: bigint): void => {
    // Refused when what is left would not do: then nothing has moved.
    const savepoint = ctx.state.savepoint();
    const of = world.outcome(() =>
      margin.keeper.transfer(ctx, world.sub(1, from), world.sub(1, to), amount),
    );
    if (of !== "accepted") ctx.state.revert(savepoint);
  };
  if (step === "into") move(1, 0, IN);
  if (step === "out") move(0, 1, OUT);
  if (step === "fall") markets.setMark(ctx, BTC, FALLEN);
  if (step === "fund") world.insurance.give(ctx, fund);
  if (step === "block") {
    world.endBlock();
    ctx.nextBlock(1);
  }
}

function lossSums(world: CustodyWorld): bigint[] {
  return world
    .happened("loss")
    .map(({ lines = "" }) =>
      lines.split(",").reduce((sum, line) => sum + BigInt(line.split("=")[1] ?? ""), 0n),
    );
}

/** The whole open interest is one account's on each side, so that one liquidation takes all of it. */
test.each([-1n, 0n, 1n])(
  "fault 30: money between an isolated or cross account and its owner's other one, the fall, the fund's money (what is missing and %d) and the block, in every order",
  (over) => {
    const ends = { deleveraged: 0, spared: 0 };
    for (const isolated of [true, false]) {
      for (const rich of [true, false]) {
        for (const [i, order] of orders(STEPS).entries()) {
          if (!EVERY && i % 4 !== (isolated ? 2 : 0) + (rich ? 1 : 0)) continue;
          const world = open({ isolated, rich, over });
          for (const step of order) {
            perform(world, step, MISSING + over);
            if (step === "block") expect([order, world.violated()]).toEqual([order, null]);
          }
          for (let block = 0; block < 3; block++) perform(world, "block", 0n);
          expect([order, world.violated(), world.markets.quarantined]).toEqual([order, null, []]);
          for (const sum of lossSums(world)) expect(sum).toBe(0n);
          const { keeper } = world.margin;
          expect(keeper.openInterestLots(world.ctx, BTC)).toBe(0n);
          // All in is all there: nobody but those three has anything.
          const pending = keeper.pendingShortfall(world.ctx, DENOM);
          const worth = [world.sub(1, 0), world.sub(1, 1), world.sub(2, 0)].map(world.equity);
          const paidIn = 900n * UNIT + (rich ? 100_000n : 501n) * UNIT + MISSING + over;
          const all = worth.reduce((sum, one) => sum + one, 0n);
          expect([order, all + world.insurance.fundBalance(world.ctx, DENOM, "")]).toEqual([
            order,
            paidIn,
          ]);
          if (world.happened("deleverage").length > 0) ends.deleveraged += 1;
          if (pending === 0n) ends.spared += 1;
        }
      }
    }
    expect(ends.deleveraged).toBeGreaterThan(25);
    expect(ends.spared).toBeGreaterThan(25);
  },
);
