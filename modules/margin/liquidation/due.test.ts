import { expect, it } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { block, MARK, open, setUp, world } from "../testing/ladder.ts";
import { BTC } from "../testing/world.ts";
import { createDue, type Sick } from "./due.ts";

/** 20 longs of one lot that are short at the mark, and not at an average that has hardly moved. */
function waiting(): Sick[] {
  setUp({ averageMs: 60_000n });
  const sick: Sick[] = [];
  for (let number = 100; number < 120; number++) {
    const id = world.funded(number, 6_000_000n);
    open("buy", 1n, id);
    sick.push({ id, equity: 2_000_000n, maintenance: 2_300_000n, market: BTC });
  }
  block(1, MARK);
  world.ctx.nextBlock(1);
  world.markets.setMark(world.ctx, BTC, 46_000n);
  return sick;
}

it("judges nobody twice, and for who remembers only so many: the rest is due until it is asked about", () => {
  const sick = waiting();
  const { keeper, state } = world.margin;
  const { measures } = keeper.ladder;
  const views = (market: number) => {
    const mark = world.markets.mark(world.ctx, market);
    const terms = world.markets.terms(world.ctx, market);
    if (mark === undefined || terms === undefined) return undefined;
    return { terms, markTicks: mark.ticks, fundingIndex: 0n, ...mark };
  };
  const { ladder } = keeper.params(world.ctx);
  const due = createDue(world.ctx, { state, measures }, ladder, sick, views, 5);
  const [first, ...others] = sick as [Sick, ...Sick[]];
  expect(due.judge(first).reason).toBeNull();
  expect(due.judge(first)).toBe(due.judge(first));
  expect(due.isDue(first.id)).toBe(false);
  expect(others.filter(({ id }) => due.isDue(id))).toHaveLength(14);
  expect(due.isDue(accountId(world.owner(7), 0))).toBe(false);
});
