import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { createVaultWorld, PERP } from "../testing/vault-world.ts";
import { BTC, DENOM, futureMarket, optionMarket, UNIT, VOL } from "../testing/world.ts";
import { defaultParams, defaultTerms } from "./params.ts";
import { IDLE_ACCOUNT } from "./state.ts";

const { MARKET_STATUS_ACTIVE: ACTIVE, MARKET_STATUS_HALTED: HALTED } = MarketStatus;

const code = (n: number): object => ({ codespace: "vault", code: n });

describe("shares of the vault", () => {
  it("are minted at the price of marked equity, and the first sets it", () => {
    const world = createVaultWorld();
    expect(() => world.share(1, 99n)).toThrow(expect.objectContaining(code(6)));
    expect(world.share(1, 100n)).toBe(100_000_000_000_000n - 1_000_000_000n);
    expect(world.share(2, 50n)).toBe(50_000_000_000_000n);
    expect(world.equity()).toBe(150n * UNIT);
    expect(() => world.share(2, 9n)).toThrow(expect.objectContaining(code(6)));
    expect(world.violation()).toBeNull();
  });

  it("are paid after the delay, in order, with what rounding leaves staying behind", () => {
    const world = createVaultWorld({ vault: { withdrawalDelayMs: 2_000n } });
    const one = world.share(1, 100n);
    const two = world.share(2, 100n);
    world.send("RequestWithdrawal", { sender: world.address(1), shares: `${one}` });
    world.block(1);
    world.send("RequestWithdrawal", { sender: world.address(2), shares: `${two}` });
    expect(world.coins(1)).toBe(0n);
    world.block(1);
    expect(world.coins(1)).toBe(100n * UNIT - 1_000n);
    expect(world.coins(2)).toBe(0n);
    world.block(1);
    expect(world.coins(2)).toBe(100n * UNIT);
    expect(world.equity()).toBe(1_000n);
    expect(world.shares()).toBe(1_000_000_000n);
    expect(world.violation()).toBeNull();
  });

  it("are locked, cannot be given back twice, and come back from the queue when it is cancelled", () => {
    const world = createVaultWorld({ vault: { lockupMs: 10_000n, withdrawalDelayMs: 60_000n } });
    const all = world.share(1, 100n);
    const sender = world.address(1);
    const request = (shares: bigint) =>
      world.send("RequestWithdrawal", { sender, shares: `${shares}` });
    expect(() => request(all)).toThrow(expect.objectContaining(code(11)));
    expect(() => request(all + 1n)).toThrow(expect.objectContaining(code(10)));
    world.block(10);
    expect(() => request(999_999n)).toThrow(expect.objectContaining(code(4)));
    request(all);
    expect(() => request(1n)).toThrow(expect.objectContaining(code(10)));
    expect(() => world.send("CancelWithdrawal", { sender: world.address(2), id: 1n })).toThrow(
      expect.objectContaining(code(13)),
    );
    world.send("CancelWithdrawal", { sender, id: 1n });
    expect(world.held(1)).toBe(all);
    for (let i = 0; i < 16; i++) request(1_000_000_000_000n);
    expect(() => request(1_000_000_000_000n)).toThrow(expect.objectContaining(code(12)));
    expect(world.violation()).toBeNull();
  });

  it("cannot be made so dear by a gift that the next depositor loses more than it costs", () => {
    const world = createVaultWorld();
    world.share(1, 100n);
    // The first depositor keeps nothing but what the vault keeps for ever, then gives ten million units to it.
    world.send("RequestWithdrawal", { sender: world.address(1), shares: `${world.held(1)}` });
    world.block(1);
    expect(world.equity()).toBe(1_000n);
    const gift = 10_000_000n * UNIT;
    world.bank.mint(world.ctx, world.owner(1), { denom: DENOM, amount: gift });
    world.margin.keeper.deposit(world.ctx, world.owner(1), IDLE_ACCOUNT, gift);
    const shares = world.share(2, 1_000n);
    const worth = (world.equity() * shares) / world.shares();
    expect(1_000n * UNIT - worth).toBeLessThan(10_001n);
  });

  it("are refused below the number asked for, in another coin, and while a price is missing", () => {
    const world = createVaultWorld();
    world.setMarket();
    world.share(1, 100_000n);
    const deposit = (change: object) =>
      world.send("DepositToVault", {
        sender: world.address(1),
        denom: DENOM,
        amount: `${10n * UNIT}`,
        sharesMin: "",
        ...change,
      });
    expect(() => deposit({ sharesMin: "10000000000001" })).toThrow(
      expect.objectContaining(code(7)),
    );
    expect(() => deposit({ denom: "ukeel" })).toThrow(expect.objectContaining(code(5)));
    expect(() => deposit({ amount: "-1" })).toThrow(expect.objectContaining(code(4)));
    world.block(1);
    world.place(PERP, world.funded(3, 100_000n), "buy 0.05 @ 60100 ioc");
    world.send("RequestWithdrawal", { sender: world.address(1), shares: "1000000000000" });
    world.setPrice(BTC, "60000", false);
    expect(() => deposit({})).toThrow(expect.objectContaining(code(8)));
    world.block(1);
    expect(world.coins(1)).toBe(0n);
    world.setPrice(BTC, "60000");
    world.keeper.updateMarket(world.ctx, PERP, { status: HALTED, terms: undefined });
    expect(() => deposit({})).toThrow(expect.objectContaining(code(8)));
    world.block(1);
    expect(world.coins(1)).toBe(0n);
    world.keeper.updateMarket(world.ctx, PERP, { status: ACTIVE, terms: undefined });
    world.block(1);
    expect(world.coins(1)).toBeGreaterThan(0n);
  });
});

describe("a withdrawal", () => {
  it("is paid as far as collateral is free, keeps its place, and meanwhile only positions are reduced", () => {
    const world = createVaultWorld({ vault: { withdrawalDelayMs: 0n } });
    world.setMarket({
      capitalPpm: 1_000_000n,
      orderSizePpm: 900_000n,
      skewPpm: 0n,
      leverageMaxPpm: 20_000_000n,
      spreadMinPpm: 500n,
    });
    const all = world.share(1, 10_000n);
    world.share(2, 1_000n);
    const buyer = world.funded(3, 1_000_000n);
    world.block(1);
    for (let i = 0; i < 6; i++) {
      world.place(PERP, buyer, "buy 1 @ 61000 ioc");
      world.block(1);
    }
    const { account } = world.vault.keeper.valuer.all(world.ctx).markets[0]!;
    const lots = world.margin.keeper.positionLots(world.ctx, account, 1);
    expect(lots).toBeLessThan(-900n);
    world.send("RequestWithdrawal", { sender: world.address(1), shares: `${all}` });
    world.send("RequestWithdrawal", { sender: world.address(2), shares: `${world.held(2)}` });
    world.block(1);
    const first = world.coins(1);
    expect(first).toBeGreaterThan(0n);
    expect(first).toBeLessThan(10_000n * UNIT);
    expect(world.coins(2)).toBe(0n);
    expect(world.eventsOf("vault_short")).toEqual([{ short: "true" }]);
    expect(world.quotes()).toMatch(/^b0 /);
    expect(world.quotes()).not.toContain("a0");
    expect(world.violation()).toBeNull();
    // Somebody sells to its reducing bids: what becomes free is paid, to the first in the queue first.
    const seller = world.funded(4, 1_000_000n);
    const queued = () => world.vault.state.totals.require(world.ctx).queuedShares;
    for (let i = 0; i < 60 && queued() > 0n; i++) {
      world.place(PERP, seller, "sell 0.3 @ 59000 ioc");
      world.block(1);
    }
    expect(world.coins(1)).toBeGreaterThan(9_000n * UNIT);
    expect(world.coins(2)).toBeGreaterThan(900n * UNIT);
    expect(world.eventsOf("vault_short").at(-1)).toEqual({ short: "false" });
    expect(queued()).toBe(0n);
    expect(world.violation()).toBeNull();
  });

  it("waits while margin's gate is closed", () => {
    const world = createVaultWorld();
    const all = world.share(1, 1_000n);
    const until = world.ctx.header.timeNs + 3_000_000_000n;
    world.margin.keeper.gateWithdrawals(world.ctx, until, "a test");
    world.send("RequestWithdrawal", { sender: world.address(1), shares: `${all}` });
    world.block(1);
    expect(world.coins(1)).toBe(0n);
    world.block(1);
    world.block(1);
    expect(world.coins(1)).toBe(1_000n * UNIT - 1_000n);
  });

  it("that cannot be worked on is undone and said, and the vault quotes on", () => {
    const world = createVaultWorld({ vault: { withdrawalDelayMs: 0n } });
    world.setMarket();
    const all = world.share(1, 100_000n);
    world.send("RequestWithdrawal", { sender: world.address(1), shares: `${all}` });
    const { holders } = world.vault.state;
    const right = holders.get(world.ctx, world.owner(1))!;
    holders.delete(world.ctx, world.owner(1));
    world.block(1);
    expect(world.eventsOf("vault_fault")).toEqual([{ reason: "a withdrawal has no holder" }]);
    expect(world.coins(1)).toBe(0n);
    holders.set(world.ctx, world.owner(1), right);
    world.block(1);
    expect(world.coins(1)).toBe(100_000n * UNIT - 1_000n);
    expect(world.violation()).toBeNull();
  });

  it("takes its turn behind what one block pays", () => {
    const world = createVaultWorld({ vault: { withdrawalsPerBlockMax: 2 } });
    world.share(1, 1_000n);
    for (let i = 0; i < 5; i++) {
      world.send("RequestWithdrawal", { sender: world.address(1), shares: "100000000000000" });
    }
    const left = () => world.vault.state.withdrawals.size(world.ctx);
    world.block(1);
    expect(left()).toBe(3);
    world.block(1);
    expect(left()).toBe(1);
    world.block(1);
    expect(left()).toBe(0);
    expect(world.coins(1)).toBe(500n * UNIT);
  });
});

describe("terms", () => {
  it("come from the authority, for markets that exist, inside their bounds, and share no more than all", () => {
    const world = createVaultWorld();
    const set = (value: object) => world.send("SetVaultMarket", value);
    const terms = defaultTerms();
    expect(() => set({ authority: world.address(1), market: PERP, terms })).toThrow(
      expect.objectContaining(code(3)),
    );
    expect(() => world.setMarket({}, "ETH-USD-PERP")).toThrow(expect.objectContaining(code(14)));
    for (const change of [
      { layers: 0 },
      { layers: 9 },
      { capitalPpm: 1_000_001n },
      { skewPpm: 4_000_000n, orderSizePpm: 500_000n },
      { refreshPpm: 1_001n },
      { activationMin: "" },
      { status: 0 as const },
      { lossMaxPpm: 0n },
    ]) {
      expect(() => world.setMarket(change), JSON.stringify(Object.keys(change))).toThrow(
        expect.objectContaining(code(15)),
      );
    }
    const end = {
      expiryMs: BigInt(world.nowMs() + 86_400_000),
      windowMs: 1_800_000n,
      closeOnlyMs: 0n,
    };
    world.list(futureMarket("BTC-F", end));
    world.setPrice(VOL, "0.8");
    world.list(optionMarket("BTC-C", end, { strike: "60000" }));
    world.setMarket({ capitalPpm: 600_000n });
    expect(() => world.setMarket({ capitalPpm: 400_001n }, "BTC-F")).toThrow(
      expect.objectContaining(code(15)),
    );
    world.setMarket({ capitalPpm: 400_000n }, "BTC-F");
    expect(() => world.setMarket({ capitalPpm: 0n }, "BTC-C")).toThrow(
      expect.objectContaining(code(14)),
    );
  });

  it("of the vault itself too", () => {
    const world = createVaultWorld();
    const { authority } = world.vault.keeper.params(world.ctx);
    const update = (change: object, from = authority) =>
      world.send("UpdateVaultParams", {
        authority: from,
        params: { ...defaultParams(), authority, ...change },
      });
    update({ lockupMs: 5n });
    expect(world.vault.keeper.params(world.ctx).lockupMs).toBe(5n);
    expect(() => update({}, world.address(1))).toThrow(expect.objectContaining(code(3)));
    for (const change of [
      { firstDepositMin: "1000" },
      { depositMin: "0" },
      { withdrawalSharesMin: "" },
      { lockupMs: 367n * 86_400_000n },
      { withdrawalDelayMs: 31n * 86_400_000n },
      { withdrawalsPerBlockMax: 0 },
      { quotesPerBlockMax: 1001 },
    ]) {
      expect(() => update(change)).toThrow(expect.objectContaining(code(2)));
    }
  });
});
