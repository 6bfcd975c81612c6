import { describe, expect, it } from "vitest";
import { createVaultWorld } from "../testing/vault-world.ts";
import { DENOM, UNIT } from "../testing/world.ts";

describe("the queue under a limit on what leaves in a time", () => {
  it("is paid as far as the limit allows, so that one too large for any window does not hold the others for ever", () => {
    const world = createVaultWorld();
    const { ctx, guard } = world;
    const { authority } = guard.keeper.params(ctx);
    const limits = [{ windowMs: 3_600_000n, sharePpm: 100_000n, floor: "0" }];
    const route = guard.module.messages.find(({ typeUrl }) => typeUrl.endsWith("WithdrawalLimits"));
    const message = route?.decode(route.encode({ authority, denom: DENOM, limits }));
    world.share(1, 8_000n);
    world.share(2, 2_000n);
    world.block(8_000);
    route?.handle({ ...ctx, signers: [] }, message);
    for (const n of [1, 2]) {
      world.send("RequestWithdrawal", { sender: world.address(n), shares: `${world.held(n)}` });
    }
    world.block(1);
    // A tenth of the 10,000 here and of the fund's 10,000.
    const first = world.coins(1);
    expect(first).toBeGreaterThan(1_999n * UNIT);
    expect(first).toBeLessThanOrEqual(2_000n * UNIT);
    world.block(1);
    expect(world.coins(1)).toBe(first);
    expect(world.eventsOf("vault_short")).toEqual([]);
    for (let hour = 0; hour < 20 && world.coins(2) === 0n; hour++) world.block(3_900);
    expect(world.coins(1)).toBeGreaterThanOrEqual(7_999n * UNIT);
    expect(world.coins(2)).toBeGreaterThan(0n);
    expect(world.violation()).toBeNull();
  });
});
