import { describe, expect, it } from "vitest";
import { ownerKeyOf } from "../../kit/account-id.ts";
import { createFeeWorld } from "../../testing/fee-world.ts";
import { TRADED_QUANTA_MAX, VOLUME_DAYS } from "../limits.ts";
import { createRandom } from "../random.ts";
import { traderSize, traderValue } from "./record-codec.ts";
import { addVolume, dayOf, NO_TRADER, rolled, traderOf } from "./volume.ts";

describe("an owner's volume by days", () => {
  it("equals the sums of a list of all trades, whatever days pass between them", () => {
    const world = createFeeWorld();
    const { ctx, venue } = world;
    const owner = ownerKeyOf(venue.accounts.of(world.address(1), 3));
    const random = createRandom(7);
    const trades: { readonly day: number; readonly quanta: bigint }[] = [];
    for (let i = 0; i < 400; i++) {
      if (random.below(3) === 0)
        ctx.nextBlock(86_400 * (1 + random.below(random.below(20) === 0 ? 70 : 4)));
      const quanta = BigInt(random.below(1_000_000));
      trades.push({ day: dayOf(ctx), quanta });
      addVolume(ctx, venue, owner, quanta);
      const today = dayOf(ctx);
      const sum = (from: number, to: number): bigint =>
        trades.reduce(
          (all, { day, quanta }) => (day >= from && day <= to ? all + quanta : all),
          0n,
        );
      const record = traderOf(ctx, venue, owner);
      expect(record).toMatchObject({
        day: today,
        today: sum(today, today),
        window: sum(today - VOLUME_DAYS, today - 1),
        lifetime: sum(0, today),
      });
      expect(record.before.length).toBeLessThanOrEqual(VOLUME_DAYS);
      expect(traderSize(record)).toBe(traderValue.encode(record).length);
      expect(traderValue.decode(traderValue.encode(record))).toEqual(record);
    }
    expect(world.violation()).toBeNull();
  });

  it("stops at its bound instead of leaving its range", () => {
    const world = createFeeWorld();
    const owner = ownerKeyOf(world.venue.accounts.of(world.address(1), 0));
    for (let day = 0; day < 3; day++) {
      addVolume(world.ctx, world.venue, owner, TRADED_QUANTA_MAX);
      addVolume(world.ctx, world.venue, owner, 1n);
      world.ctx.nextBlock(86_400);
    }
    const record = traderOf(world.ctx, world.venue, owner);
    expect([record.window, record.lifetime]).toEqual([TRADED_QUANTA_MAX, TRADED_QUANTA_MAX]);
    expect(traderSize(record)).toBe(traderValue.encode(record).length);
    expect(world.violation()).toBeNull();
  });

  it("keeps a referrer, a code and actions when it rolls", () => {
    const record = { ...NO_TRADER, day: 5, today: 3n, actions: 2n, referralCode: "AB1" };
    expect(rolled(record, 5)).toBe(record);
    const { day, today, window, before, ...rest } = rolled(record, 7);
    expect({ day, today, window, before }).toEqual({
      day: 7,
      today: 0n,
      window: 3n,
      before: [0n, 3n],
    });
    expect(rest).toEqual({
      lifetime: 0n,
      actions: 2n,
      trickleMs: 0n,
      referrer: NO_TRADER.referrer,
      referralCode: "AB1",
    });
    expect(rolled(record, 36).before).toEqual([]);
  });
});
