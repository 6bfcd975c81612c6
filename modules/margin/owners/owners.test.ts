import { QueryAccountRequest, QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { beforeEach, describe, expect, it } from "vitest";
import { type AccountId, accountId, ownerKeyOf, ownerOf } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { ModuleError } from "../../kit/errors.ts";
import { changedKeys } from "../../kit/testing/changes.ts";
import { MARGIN_CODES } from "../errors.ts";
import { OWNER_SUBACCOUNTS_PER_MARKET_MAX } from "../limits.ts";
import { BTC, createWorld, ETH } from "../testing/world.ts";
import { type OwnersWorld, ownersWorld, UNIT } from "./testing.ts";

const OK = { ok: true };
let world: OwnersWorld;
let maker: AccountId;

beforeEach(() => {
  world = ownersWorld();
  maker = world.funds(9, 0, 1_000_000n);
});

function refusalOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ModuleError) return `${error.codespace} ${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

function kept(id: AccountId, market = BTC) {
  return world.margin.state.owners.markets.get(world.ctx, [ownerKeyOf(id), market]);
}

describe("the tiers of an owner", () => {
  it("are chosen by what all its sub-accounts hold, and each pays its part", () => {
    const [one, two] = [world.funds(1, 0, 5_000n), world.funds(1, 7, 5_000n)];
    expect(world.trade(one, maker, 150n)).toEqual(OK);
    expect(world.required(one)).toEqual([750, 375]);
    expect(world.trade(two, maker, 150n)).toEqual(OK);
    // 15,000 units: 1,000 + 1,000 of initial and 500 + 500 of maintenance margin, half each.
    for (const id of [one, two]) expect(world.required(id)).toEqual([1_000, 500]);
    // Another market is none of it, and a short position counts as a long one does.
    expect(world.trade(two, maker, 10n, { market: ETH })).toEqual(OK);
    expect(world.required(one)).toEqual([1_000, 500]);
    expect(world.trade(maker, two, 300n)).toEqual(OK);
    expect(world.required(one)).toEqual([1_000, 500]);
    // Closing one frees the other.
    expect(world.trade(two, maker, 150n)).toEqual(OK);
    expect(world.required(one)).toEqual([750, 375]);
    expect(world.violated()).toBeNull();
  });

  it("count resting orders for initial margin, and isolated sub-accounts like any", () => {
    const [one, two] = [world.funds(1, 0, 5_000n), world.funds(1, 1, 5_000n)];
    world.margin.keeper.setMode(world.ctx, two, "isolated");
    expect(world.trade(one, maker, 150n)).toEqual(OK);
    world.markets.rest(world.ctx, {
      ...{ account: two, market: BTC, side: "sell", ticks: 51_000n, lots: 150n, feeReserve: 0n },
    });
    expect(world.required(one)).toEqual([1_000, 375]);
    expect(world.required(two)).toEqual([1_000, 0]);
    expect(world.violated()).toBeNull();
  });

  it("are answered with the position", () => {
    const [one, two] = [world.funds(1, 0, 5_000n), world.funds(1, 1, 5_000n)];
    world.trade(one, maker, 100n);
    world.trade(maker, two, 200n);
    const route = world.margin.module.queries.find(({ path }) => path.endsWith("Query/Account"));
    const owner = createAddresses("keel").format(ownerOf(one));
    const request = QueryAccountRequest.encode({ owner, subaccount: 0 }).finish();
    const answer = route?.handle(world.ctx, request) ?? new Uint8Array(0);
    const [position] = QueryAccountResponse.decode(answer).account?.positions ?? [];
    // 15,000 units need 1,000: 6.6667 % of every one.
    expect(position).toMatchObject({
      ownerLots: "300",
      ownerWorstLots: "300",
      maintenanceRequirement: "333333334",
      maintenanceRatePpm: 66_667n,
    });
  });
});

describe("a sub-account beside one that grows", () => {
  let one: AccountId;
  let two: AccountId;

  beforeEach(() => {
    [one, two] = [world.funds(1, 0, 50_000n), world.funds(1, 1, 800n)];
    expect(world.trade(two, maker, 150n)).toEqual(OK);
  });

  it("is not pushed below its initial requirement by a trade", () => {
    // Up to 10,000 units together nothing changes for it; then its part is 15 % of more.
    expect(world.trade(one, maker, 50n)).toEqual(OK);
    expect(world.required(two)).toEqual([750, 375]);
    const middle = world.ctx.state.fork();
    const refused = world.trade(one, maker, 100n);
    expect(refused).toEqual({
      ok: false,
      refused: "buy",
      code: MARGIN_CODES.siblingMargin,
      reason:
        "buyer: sub-account 1 of the same owner, whose size is one: expected equity of at least 1000 (requirement), got 800: short of 200",
    });
    expect(changedKeys(middle, world.ctx.state)).toEqual([]);
    // Nor through zero, as a maker, or by trades cleared together; closing asks nobody.
    const made = world.trade(maker, one, 151n);
    expect(made).toMatchObject({ refused: "sell", code: MARGIN_CODES.siblingMargin });
    expect(world.trade(maker, one, 50n)).toEqual(OK);
    const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
    const trade = { market: BTC, priceTicks: 50_000n, lots: 100n, taker: "buy" } as const;
    expect(
      world.margin.keeper.clearAll(
        world.ctx,
        [{ ...trade, buyer: party(maker), seller: party(one), kind: "external" }],
        [],
      ),
    ).toMatchObject({ ok: false, refused: one, code: MARGIN_CODES.siblingMargin });
    expect(world.violated()).toBeNull();
  });

  it("is not by an order, an auction or an account that arrives", () => {
    const order = { account: one, market: BTC, side: "sell", ticks: 51_000n } as const;
    const rest = (lots: bigint) =>
      refusalOf(() => void world.markets.rest(world.ctx, { ...order, lots, feeReserve: 0n }));
    expect(rest(100n)).toMatch(
      /^margin 67: sub-account 1 of the same owner, whose size is one: expected equity of at least 900 /,
    );
    expect(rest(50n)).toBe("accepted");
    const release = { lots: 0n, feeReserveQuanta: 0n };
    const fills = [
      { account: one, side: "buy", lots: 100n, feeQuanta: 0n, release },
      { account: maker, side: "sell", lots: 100n, feeQuanta: 0n, release },
    ] as const;
    expect(
      world.margin.keeper.clearAuction(world.ctx, { market: BTC, priceTicks: 50_000n, fills }),
    ).toMatchObject({
      ok: false,
      refused: [{ account: one, code: MARGIN_CODES.siblingMargin }],
    });
    const stranger = world.funds(2, 0, 50_000n);
    expect(world.trade(stranger, maker, 100n)).toEqual(OK);
    const port = () =>
      world.margin.keeper.portAccount(world.ctx, stranger, accountId(ownerOf(one), 5));
    expect(refusalOf(port)).toMatch(/^margin 67/);
    world.funds(1, 1, 500n);
    expect(refusalOf(port)).toBe("accepted");
    expect(kept(one)).toEqual({ subaccounts: [0, 1, 5], lots: 250n, worstLots: 300n });
    expect(world.violated()).toBeNull();
  });

  it("may be what the other's position moves to, and its owner needs no more than before", () => {
    world.funds(1, 1, 10_000n);
    expect(world.trade(one, maker, 250n)).toEqual(OK);
    const needed = () => world.required(one)[0] + world.required(two)[0];
    const before = needed();
    expect(before).toBe(3_000);
    expect(world.trade(two, one, 250n, { kind: "transfer" })).toEqual(OK);
    expect(needed()).toBe(before);
    expect(world.required(one)).toEqual([0, 0]);
    // Whoever is at the limit of its margin may still move it between its own.
    expect(world.trade(one, two, 400n, { kind: "transfer" })).toEqual(OK);
    expect(needed()).toBe(before);
    expect(world.violated()).toBeNull();
  });

  it("may hold the market in a limited number of them", () => {
    for (let i = 2; i <= OWNER_SUBACCOUNTS_PER_MARKET_MAX; i++) {
      const id = world.funds(1, i, 100n);
      expect(world.trade(id, maker, 1n)).toEqual(OK);
    }
    const last = world.funds(1, 99, 100n);
    expect(world.trade(last, maker, 1n)).toMatchObject({ code: MARGIN_CODES.tooManyShares });
    expect(
      refusalOf(() => {
        const order = { account: last, market: BTC, side: "buy", ticks: 49_000n } as const;
        world.markets.rest(world.ctx, { ...order, lots: 1n, feeReserve: 0n });
      }),
    ).toMatch(/^margin 66: expected at most 16 sub-accounts of one owner in a market$/);
    // Those that are there go on.
    expect(world.trade(two, maker, 1n)).toEqual(OK);
  });
});

describe("what is kept of owners", () => {
  it("is there for owners of two accounts or more, and goes with the second one", () => {
    const one = world.funds(1, 0, 5_000n);
    world.trade(one, maker, 10n);
    expect(kept(one)).toBeUndefined();
    const two = world.funds(1, 1, 100n);
    expect(kept(one)).toEqual({ subaccounts: [0], lots: 10n, worstLots: 10n });
    world.markets.rest(world.ctx, {
      ...{ account: two, market: BTC, side: "buy", ticks: 49_000n, lots: 5n, feeReserve: 0n },
    });
    expect(kept(one)).toEqual({ subaccounts: [0, 1], lots: 10n, worstLots: 15n });
    world.markets.cancelOrders(world.ctx, two, "test");
    world.margin.keeper.withdraw(world.ctx, two, 100n * UNIT);
    expect(kept(one)).toBeUndefined();
    expect(world.margin.state.owners.several.size(world.ctx)).toBe(0);
    expect(world.violated()).toBeNull();
  });

  it("is rebuilt from an exported genesis", () => {
    const [one, two] = [world.funds(1, 0, 5_000n), world.funds(1, 1, 5_000n)];
    world.trade(one, maker, 10n);
    world.trade(maker, two, 20n);
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("margin has a genesis of its own");
    const other = createWorld();
    genesis.init(other.ctx, genesis.export(world.ctx));
    expect(other.margin.state.owners.markets.get(other.ctx, [ownerKeyOf(one), BTC])).toEqual({
      subaccounts: [0, 1],
      lots: 30n,
      worstLots: 30n,
    });
  });

  it("is missed by the invariant when it is not what the accounts say", () => {
    const [one, two] = [world.funds(1, 0, 5_000n), world.funds(1, 1, 5_000n)];
    world.trade(one, maker, 10n);
    world.trade(two, maker, 10n);
    const { markets, several } = world.margin.state.owners;
    const key = [ownerKeyOf(one), BTC] as const;
    const record = kept(one);
    if (record === undefined) throw new Error("nothing is kept");
    markets.set(world.ctx, key, { ...record, lots: 19n });
    expect(world.violated()).toBe(
      "owners-kept: market 1: 20 lots of an owner are not what is kept",
    );
    markets.set(world.ctx, key, record);
    markets.set(world.ctx, [ownerKeyOf(one), ETH], record);
    expect(world.violated()).toMatch(/^owners-kept: markets are kept/);
    markets.delete(world.ctx, [ownerKeyOf(one), ETH]);
    several.set(world.ctx, ownerKeyOf(maker), true);
    expect(world.violated()).toMatch(/^owners-kept: owners of one account/);
    several.delete(world.ctx, ownerKeyOf(maker));
    expect(world.violated()).toBeNull();
    several.delete(world.ctx, ownerKeyOf(one));
    expect(world.violated()).toMatch(/^owners-kept: an owner of several/);
  });
});
