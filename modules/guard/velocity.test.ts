import type { LimitedFlow } from "@keel/proto/gen/keel/guard/v1/types";
import { MsgCollectFees } from "@keel/proto/gen/keel/margin/v1/tx";
import { describe, expect, it } from "vitest";
import { accountId } from "../kit/account-id.ts";
import { createGuardWorld, PERP } from "../testing/guard-world.ts";
import { DENOM, UNIT } from "../testing/world.ts";
import { flowOf, roomAt } from "./velocity.ts";

const HOUR_MS = 3_600_000n;
const LIMIT = { windowMs: HOUR_MS, sharePpm: 100_000n, floor: "0" };

function limited(limits: object[] = [{ ...LIMIT, floor: `${5n * UNIT}` }]) {
  const world = createGuardWorld();
  const rich = world.funded(1, 1000n);
  world.send("SetWithdrawalLimits", { authority: world.authority, denom: DENOM, limits });
  const withdraw = (units: bigint, n = 1): string =>
    world.outcome(() =>
      world.margin.keeper.withdraw(world.ctx, accountId(world.owner(n), 0), units * UNIT),
    );
  return { world, rich, withdraw };
}

describe("a limit on what leaves", () => {
  it("lets a tenth of the vault leave within an hour, and the next after it has passed", () => {
    const { withdraw, world } = limited();
    expect(withdraw(101n)).toBe("guard 9");
    expect(withdraw(60n)).toBe("accepted");
    // 60 have left of 1,000.
    expect(withdraw(41n)).toBe("guard 9");
    expect(withdraw(40n)).toBe("accepted");
    expect(withdraw(1n)).toBe("guard 9");
    world.priced("60000", 3_600);
    expect(withdraw(1n)).toBe("guard 9");
    world.priced("60000", 225);
    // A tenth of 900.
    expect(withdraw(91n)).toBe("guard 9");
    expect(withdraw(90n)).toBe("accepted");
  });

  it("counts the fees that are paid out, and holds them back from nobody", () => {
    const { rich, withdraw, world } = limited();
    const trader = world.funded(2, 1000n);
    world.trade(PERP, rich, trader, "0.1", "60000");
    const { feesHeld } = world.margin.keeper.totals(world.ctx);
    const before = world.guard.keeper.room(world.ctx, DENOM) ?? 0n;
    const value = MsgCollectFees.fromPartial({
      authority: world.authority,
      recipient: world.address(9),
      amount: `${feesHeld}`,
    });
    const route = world.margin.module.messages.find(({ typeUrl }) => /CollectFees$/.test(typeUrl));
    route?.handle({ ...world.ctx, signers: [] }, value);
    expect(feesHeld).toBeGreaterThan(UNIT);
    // A tenth of what was there before anything left is still the measure.
    expect(world.guard.keeper.room(world.ctx, DENOM)).toBe(before - feesHeld);
    expect(withdraw(before / UNIT)).toBe("guard 9");
  });

  it("says what may leave now and when the rest may, and that time is true", () => {
    const { withdraw, world } = limited();
    withdraw(100n);
    const refused = (): string => {
      try {
        world.margin.keeper.withdraw(world.ctx, accountId(world.owner(1), 0), 50n * UNIT);
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    const message = refused();
    expect(message).toContain(`expected at most 0 of ${DENOM} now`);
    const at = BigInt(/from (\d+) ms/.exec(message)?.[1] ?? 0);
    const wait = Number(at) - world.nowMs();
    expect(wait).toBeGreaterThan(3_600_000);
    world.priced("60000", Math.ceil(wait / 1000) - 2);
    expect(refused()).not.toBe("");
    world.priced("60000", 3);
    expect(refused()).toBe("");
  });

  it("cannot be used up by money that goes in and out again", () => {
    const { withdraw, world } = limited();
    world.funded(2, 5000n);
    expect(withdraw(5000n, 2)).toBe("accepted");
    expect(withdraw(100n)).toBe("accepted");
    expect(withdraw(1n)).toBe("guard 9");
  });

  it("stops a thief who deposits, wins and withdraws in one block at the share", () => {
    const { withdraw, world } = limited();
    const thief = world.funded(3, 100n);
    // Whatever he has done to the price: his account holds 900 of others' money.
    world.margin.keeper.transfer(world.ctx, accountId(world.owner(1), 0), thief, 900n * UNIT);
    expect(withdraw(1000n, 3)).toBe("guard 9");
    // His own, and a tenth of what was there before him.
    expect(withdraw(200n, 3)).toBe("accepted");
    expect(withdraw(1n, 3)).toBe("guard 9");
  });

  it("always lets the floor leave, and holds every window", () => {
    const day = { windowMs: 24n * HOUR_MS, sharePpm: 150_000n, floor: "0" };
    const { withdraw, world } = limited([{ ...LIMIT, sharePpm: 0n, floor: `${UNIT}` }, day]);
    expect(withdraw(2n)).toBe("guard 9");
    expect(withdraw(1n)).toBe("accepted");
    expect(withdraw(1n)).toBe("guard 9");
    const two = limited([LIMIT, day]);
    expect(two.withdraw(100n)).toBe("accepted");
    two.world.priced("60000", 3_900);
    expect(two.withdraw(51n)).toBe("guard 9");
    expect(two.withdraw(50n)).toBe("accepted");
    expect(world.violation()).toBeNull();
  });

  it("says null for an amount that no window ever allows", () => {
    const flow: LimitedFlow = { limit: LIMIT, buckets: [] };
    expect(roomAt(flow, 1000n, 101n, HOUR_MS)).toBeNull();
    expect(roomAt(flow, 1000n, 100n, HOUR_MS)).toBe(HOUR_MS);
    expect(flowOf(flow, 1000n, HOUR_MS)).toEqual({ outflow: 0n, most: 100n });
  });

  it("is lifted by none, and refuses limits that mean nothing", () => {
    const { withdraw, world } = limited();
    const set = (limits: object[]): string =>
      world.outcome(() =>
        world.send("SetWithdrawalLimits", { authority: world.authority, denom: DENOM, limits }),
      );
    expect(set([LIMIT, LIMIT])).toBe("guard 5");
    expect(set([{ ...LIMIT, sharePpm: 0n }])).toBe("guard 5");
    expect(set([])).toBe("accepted");
    expect(withdraw(999n)).toBe("accepted");
    expect(set([])).toBe("guard 7");
  });
});
