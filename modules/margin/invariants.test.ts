import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../kit/account-id.ts";
import { COLLATERAL_VAULT } from "./state.ts";
import { BTC, btcTerms, createWorld, type World } from "./testing/world.ts";

const UNIT = 1_000_000n;
let world: World;
let long: AccountId;
let short: AccountId;

beforeEach(() => {
  world = createWorld();
  const { ctx, markets, margin } = world;
  markets.list(ctx, btcTerms());
  markets.setMark(ctx, BTC, 50_000n);
  long = world.funded(1, 1_000n * UNIT);
  short = world.funded(2, 1_000n * UNIT);
  world.fund.give(ctx, 10n * UNIT);
  const cleared = margin.keeper.clear(ctx, {
    market: BTC,
    priceTicks: 50_000n,
    lots: 10n,
    buyer: { account: long, feeQuanta: 300n, orderId: null },
    seller: { account: short, feeQuanta: -100n, orderId: null },
    taker: "buy",
    kind: "order",
  });
  expect(cleared.ok).toBe(true);
  markets.addFunding(ctx, BTC, 17n);
  expect(world.violated()).toBeNull();
});

function edit(id: AccountId, change: (account: NonNullable<ReturnType<typeof load>>) => object) {
  const account = load(id);
  if (account === undefined) throw new Error("no account");
  world.margin.state.accounts.set(world.ctx, id, { ...account, ...change(account) });
}

function load(id: AccountId) {
  return world.margin.keeper.account(world.ctx, id);
}

function editLedger(change: object): void {
  const { state } = world.margin;
  const ledger = state.ledgers.get(world.ctx, BTC);
  if (ledger === undefined) throw new Error("no ledger");
  state.ledgers.set(world.ctx, BTC, { ...ledger, ...change });
}

function editTotals(change: object): void {
  const { state } = world.margin;
  state.totals.set(world.ctx, { ...state.totals.require(world.ctx), ...change });
}

describe("every invariant notices what it is for", () => {
  it("vault-backed: collateral out of nothing", () => {
    const { collateral } = world.margin.keeper.totals(world.ctx);
    editTotals({ collateral: collateral + 1n });
    expect(world.violated()).toMatch(/^vault-backed: claims on the vault are/);
  });

  it("vault-backed: coins missing from the vault", () => {
    const vault = world.margin.keeper.totals(world.ctx).netDeposits + 10n * UNIT;
    world.bank.transfer(world.ctx, COLLATERAL_VAULT, world.owner(9), "uusdc", 1n);
    expect(world.violated()).toBe(
      `vault-backed: the vault holds ${vault - 1n}, claims on it are ${vault}`,
    );
  });

  it("vault-backed: the fund's claim grows without coins", () => {
    world.fund.credit(world.ctx, "uusdc", 1n, "penalty", "");
    expect(world.violated()).toMatch(/^vault-backed/);
  });

  it("positions-net-zero", () => {
    editLedger({ shortLots: 9n });
    expect(world.violated()).toBe("positions-net-zero: market 1: 10 lots long but 9 short");
  });

  it("market-solvency", () => {
    editLedger({ openQuote: 1n });
    expect(world.violated()).toBe(
      "market-solvency: market 1: realised and open profits sum to 1, not 0",
    );
  });

  it("shortfall-queue", () => {
    editTotals({ pendingShortfall: 5n });
    expect(world.violated()).toMatch(
      /^shortfall-queue: pending shortfall is 5, the queue sums to 0/,
    );
  });

  it("fees-held", () => {
    const { feesHeld, collateral } = world.margin.keeper.totals(world.ctx);
    editTotals({ feesHeld: -1n, collateral: collateral + feesHeld + 1n });
    expect(world.violated()).toBe("fees-held: fees held are -1");
  });

  it("totals-match-accounts: a collateral that no total knows", () => {
    edit(long, ({ collateral }) => ({ collateral: collateral + 1n }));
    expect(world.violated()).toMatch(/^totals-match-accounts: total collateral/);
  });

  it("totals-match-accounts: a position that no ledger knows", () => {
    edit(long, ({ positions }) => ({
      positions: positions.map((position) => ({ ...position, lots: position.lots + 1n })),
    }));
    expect(world.violated()).toMatch(/^totals-match-accounts: market 1: longLots is 10/);
  });

  it("totals-match-accounts: an account with positions that no scan would visit", () => {
    world.margin.state.active.delete(world.ctx, long);
    expect(world.violated()).toMatch(/^totals-match-accounts: the index lists 1/);
  });

  it("profits-zero-sum: recomputed from positions at mark, it does not trust the ledger", () => {
    // Position and ledger agree with each other, and both are wrong.
    edit(long, ({ positions }) => ({
      positions: positions.map((position) => ({ ...position, quote: position.quote + 1n })),
    }));
    const ledger = world.margin.keeper.ledger(world.ctx, BTC);
    editLedger({ openQuote: (ledger?.openQuote ?? 0n) + 1n });
    const { full } = world.margin.module.invariants;
    expect(full["totals-match-accounts"]?.(world.ctx)).toBeNull();
    expect(full["profits-zero-sum"]?.(world.ctx)).toBe("market 1: profits sum to 1, not 0");
  });

  it("no-hidden-deficit: below zero outside the queue", () => {
    world.markets.setMark(world.ctx, BTC, 200_000n);
    expect(world.violated()).toMatch(/^no-hidden-deficit: an account misses/);
    world.margin.keeper.endBlock(world.ctx);
    expect(world.violated()).toBeNull();
  });

  it("markets-priced, no-hidden-deficit, bounds-vouch: lots in a market that has lost its price", () => {
    const { ctx, margin, markets } = world;
    margin.keeper.endBlock(ctx);
    // As listed and never priced.
    markets.list(ctx, btcTerms());
    const { full } = margin.module.invariants;
    const said = ["markets-priced", "no-hidden-deficit", "bounds-vouch"].map((name) =>
      full[name]?.(ctx),
    );
    expect(said).toEqual([
      "market 1 is held and has no price",
      "an account holds lots in a market without a price",
      "an account with positions cannot be judged",
    ]);
  });
});

describe("a market that is held and has no price", () => {
  it("closes withdrawals for everyone, as long as it lasts and a while longer", () => {
    const { ctx, margin, markets } = world;
    const other = world.funded(3, 10n * UNIT);
    markets.failMark(BTC);
    margin.keeper.endBlock(ctx);
    const gate = "a market without a price is held";
    expect(margin.state.gate.get(ctx)?.reason).toBe(gate);
    expect(() => margin.keeper.withdraw(ctx, other, UNIT)).toThrow(gate);
  });
});

describe("genesis", () => {
  it("exports what it imports, and refuses what does not add up", () => {
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const exported = genesis.export(world.ctx);
    const again = createWorld();
    if (again.margin.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
    for (const broken of [{ collateral: "1" }, { accounts: 7n }]) {
      const state = GenesisState.decode(exported);
      const totals = { ...state.totals, ...broken };
      const bytes = GenesisState.encode(GenesisState.fromPartial({ ...state, totals })).finish();
      const target = createWorld();
      if (target.margin.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
      const { init } = target.margin.module.genesis;
      expect(() => init(target.ctx, bytes)).toThrow(/margin genesis/);
    }
    again.margin.module.genesis.init(again.ctx, exported);
    expect(again.margin.module.genesis.export(again.ctx)).toEqual(exported);
    expect(again.margin.keeper.account(again.ctx, long)).toEqual(load(long));
    expect(again.margin.keeper.account(again.ctx, short)).toEqual(load(short));
  });
});
