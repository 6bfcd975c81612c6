import { beforeEach, describe, expect, it } from "vitest";
import { createVaultWorld, PERP, type VaultWorld } from "../testing/vault-world.ts";
import { UNIT } from "../testing/world.ts";
import { IDLE_ACCOUNT, marketAccount, VAULT_ADDRESS } from "./state.ts";

let world: VaultWorld;

beforeEach(() => {
  world = createVaultWorld({ vault: { withdrawalDelayMs: 60_000n } });
  world.setMarket();
  world.share(1, 100_000n);
  world.share(2, 50_000n);
  world.send("RequestWithdrawal", { sender: world.address(1), shares: "5000000000000" });
  world.block(1);
  world.place(PERP, world.funded(3, 10_000n), "buy 0.05 @ 60200 ioc");
  expect(world.violation()).toBeNull();
});

describe("the vault's invariants say", () => {
  it("that queued shares are no more than all", () => {
    const { totals } = world.vault.state;
    const right = totals.require(world.ctx);
    totals.set(world.ctx, { ...right, queuedShares: right.shares + 1n });
    expect(world.violation()).toMatch(/^vault shares-in-range/);
    totals.set(world.ctx, { ...right, shares: 1n << 128n });
    expect(world.violation()).toMatch(/^vault shares-in-range/);
  });

  it("that holders have all shares, and locked ones are among them", () => {
    const { holders } = world.vault.state;
    const right = holders.get(world.ctx, world.owner(1))!;
    holders.set(world.ctx, world.owner(1), { ...right, shares: right.shares + 1n });
    expect(world.violation()).toMatch(/^vault shares-sum/);
    const untilMs = BigInt(world.nowMs()) + 1n;
    holders.set(world.ctx, world.owner(1), {
      ...right,
      locks: [{ untilMs, shares: right.shares + 1n }],
    });
    expect(world.violation()).toMatch(/^vault shares-sum: a holder has/);
    holders.set(world.ctx, world.owner(1), right);
    holders.delete(world.ctx, VAULT_ADDRESS);
    expect(world.violation()).toMatch(/^vault shares-sum/);
  });

  it("that the queue is what holders and totals say", () => {
    const { totals, withdrawals } = world.vault.state;
    const right = withdrawals.get(world.ctx, 1n)!;
    withdrawals.set(world.ctx, 1n, { ...right, shares: right.shares - 1n });
    expect(world.violation()).toMatch(/^vault queue-consistent: the queue holds/);
    withdrawals.set(world.ctx, 1n, { ...right, owner: world.owner(2) });
    expect(world.violation()).toMatch(/^vault queue-consistent: a holder has/);
    withdrawals.set(world.ctx, 1n, right);
    const next = totals.require(world.ctx);
    totals.set(world.ctx, { ...next, nextWithdrawal: 1n });
    expect(world.violation()).toMatch(/^vault queue-consistent: withdrawal 1/);
  });

  it("that a sub-account holds its own market only, so that nothing counts twice", () => {
    const { accounts } = world.margin.state;
    const own = accounts.get(world.ctx, marketAccount(1))!;
    const moved = own.positions.map((position) => ({ ...position, market: 2 }));
    accounts.set(world.ctx, marketAccount(1), { ...own, positions: moved });
    const check = world.vault.module.invariants.full["equity-once"]!;
    expect(check(world.ctx)).toMatch(/sub-account 1 .* market 2/);
    accounts.set(world.ctx, marketAccount(1), own);
    expect(check(world.ctx)).toBeNull();
    accounts.set(world.ctx, IDLE_ACCOUNT, own);
    expect(check(world.ctx)).toMatch(/sub-account 0/);
  });
});

describe("genesis of the vault", () => {
  it("is what was exported, and the world goes on as if it had not stopped", () => {
    const again = createVaultWorld({
      from: { genesis: world.exported(), header: world.ctx.header },
    });
    again.setPrice(1, "60000");
    expect(again.stored()).toEqual(world.stored());
    for (const one of [world, again]) {
      one.block(60, () => one.setPrice(1, "60100"));
      one.block(1);
    }
    expect(again.coins(1)).toBe(world.coins(1));
    expect(again.coins(1)).toBeGreaterThan(4n * UNIT);
    expect(again.stored()).toEqual(world.stored());
    expect(again.violation()).toBeNull();
  });

  it("is refused when holders and totals do not agree", () => {
    const { genesis } = world.vault.module;
    const bytes = genesis.export(world.ctx) as Uint8Array;
    world.vault.state.holders.delete(world.ctx, world.owner(2));
    const wrong = genesis.export(world.ctx) as Uint8Array;
    if (genesis.kind !== "proto") throw new Error("expected a proto genesis");
    expect(() => genesis.init(world.ctx, wrong)).toThrow(/holders have/);
    genesis.init(world.ctx, bytes);
    expect(world.violation()).toBeNull();
  });
});
