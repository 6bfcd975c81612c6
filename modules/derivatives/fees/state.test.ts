/** Genesis and invariants of fees. */

import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import * as query from "@keel/proto/gen/keel/derivatives/v1/query";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { type OwnerKey, ownerKeyOf } from "../../kit/account-id.ts";
import { createFeeWorld, type FeeWorld, SYMBOL, tier } from "../../testing/fee-world.ts";
import { createWorld, type World } from "../../testing/world.ts";
import { NO_TRADER } from "./volume.ts";

function populated(): FeeWorld {
  const world = createFeeWorld();
  world.setFees({
    tiers: [tier(0, 1_000_000, 0), tier(10_000, 800_000, 0)],
    referrerSharePpm: 100_000,
    actionBudget: { initial: 1000n, quantaPerAction: 1_000_000n, trickleMs: 1000n },
  });
  const send = (name: string, message: object): void =>
    void world.message(name, message, tx.MsgRegisterReferralCodeResponse);
  send("MsgRegisterReferralCode", { sender: world.address(5), code: "FRIEND" });
  const refer = { sender: world.address(1), code: "FRIEND" };
  world.message("MsgSetReferrer", refer, tx.MsgSetReferrerResponse);
  for (const n of [7, 8]) {
    const builder = world.address(n);
    send("MsgApproveBuilder", { sender: world.address(1), builder, feeMaxPpm: 100 * n });
  }
  world.send(2, "sell 1 @ 60000", undefined);
  world.send(1, "buy 1 @ 60000");
  world.days(2);
  world.send(1, "buy 1 @ 59000 stop=61000", { builder: world.address(7), feePpm: 300 });
  world.send(1, "buy 1 @ 59000", { builder: world.address(8), feePpm: 300 });
  expect(world.violation()).toBeNull();
  return world;
}

/** As the start of another chain: from everything that was exported. */
function restored(world: World): World {
  return createWorld({ from: { genesis: world.exported(), header: world.ctx.header } });
}

const owner = (world: World, n: number): OwnerKey =>
  ownerKeyOf(world.venue.accounts.of(world.address(n), 0));

describe("genesis", () => {
  it("takes up volume, budget, referral, approvals and builders of open orders where they were", () => {
    const world = populated();
    const again = restored(world);
    expect(again.stored()).toEqual(world.stored());
    again.setPrice(1, "60000");
    expect(again.violation()).toBeNull();
    expect(world.trader(1)).toMatchObject({ tier: 1, referrer: world.address(5) });
  });

  it.each<[string, (genesis: GenesisState, world: FeeWorld) => void]>([
    ["volume that does not add up", ({ traders }) => void (traders[0]!.trader!.window += 1n)],
    ["a trader of a later day", ({ traders }) => void (traders[0]!.trader!.day += 1)],
    [
      "a code that is there twice",
      ({ traders }) => {
        for (const { trader } of traders) trader!.referralCode = "SAME";
      },
    ],
    [
      "a referrer without a code",
      ({ traders }) => {
        for (const { trader } of traders) trader!.referralCode = "";
      },
    ],
    [
      "an approval above the ceiling",
      ({ builderApprovals }) => void (builderApprovals[0]!.approval!.feeMaxPpm = 10_001),
    ],
    ["parameters out of bounds", ({ feeParams }) => void (feeParams!.referrerSharePpm = 500_001)],
  ])("refuses %s", (_what, change) => {
    const world = populated();
    const genesis = [...world.exported()];
    const state = GenesisState.decode(genesis[3] as Uint8Array);
    change(state, world);
    genesis[3] = GenesisState.encode(state).finish();
    expect(() => createWorld({ from: { genesis, header: world.ctx.header } })).toThrow(
      expect.objectContaining({ codespace: "derivatives" }),
    );
  });
});

describe("invariants", () => {
  it.each<[string, string, (world: FeeWorld) => void]>([
    [
      "traders-add-up",
      "a day too much",
      ({ ctx, venue, ...world }) => {
        const at = owner({ ctx, venue, ...world } as FeeWorld, 1);
        const record = venue.state.fees.traders.get(ctx, at) ?? NO_TRADER;
        venue.state.fees.traders.set(ctx, at, { ...record, before: [...record.before, 1n] });
      },
    ],
    [
      "traders-add-up",
      "less in all than within the window",
      (world) => {
        const { traders } = world.venue.state.fees;
        const record = traders.get(world.ctx, owner(world, 1)) ?? NO_TRADER;
        traders.set(world.ctx, owner(world, 1), { ...record, lifetime: 0n });
      },
    ],
    [
      "traders-add-up",
      "a code of nobody",
      (world) => world.venue.state.fees.codes.set(world.ctx, "NOBODY", world.owner(3)),
    ],
    [
      "traders-add-up",
      "a code and a referrer",
      (world) => {
        const { codes, traders } = world.venue.state.fees;
        const record = traders.get(world.ctx, owner(world, 1)) ?? NO_TRADER;
        traders.set(world.ctx, owner(world, 1), { ...record, referralCode: "BOTH" });
        codes.set(world.ctx, "BOTH", world.owner(1));
      },
    ],
    [
      "approvals-bounded",
      "an approval of nothing",
      (world) =>
        world.venue.state.fees.approvals.set(world.ctx, [owner(world, 1), owner(world, 2)], {
          feeMaxPpm: 0,
        }),
    ],
    [
      "exposure-reserved",
      "a builder's fee that nobody holds back",
      (world) => {
        const { orders } = world.venue.state;
        orders.each(world.ctx, (key, order) => {
          orders.set(world.ctx, key, { ...order, feeReservePpm: order.feeReservePpm - 300 });
          return true;
        });
      },
    ],
  ])("%s notices %s", (name, _what, damage) => {
    const world = populated();
    damage(world);
    expect(world.violation()).toContain(name);
  });
});

describe("queries", () => {
  it("tell parameters, codes and approvals", () => {
    const world = populated();
    const ask = <R>(
      name: string,
      bytes: Uint8Array,
      answer: { decode(bytes: Uint8Array): R },
    ): R => {
      const route = world.module.queries.find(({ path }) => path.endsWith(`/${name}`));
      return answer.decode(route!.handle(world.ctx, bytes));
    };
    const params = ask("FeeParams", new Uint8Array(0), query.QueryFeeParamsResponse).params;
    expect(params?.tiers).toHaveLength(2);
    const code = query.QueryReferralCodeRequest.encode({ code: "FRIEND" }).finish();
    expect(ask("ReferralCode", code, query.QueryReferralCodeResponse)).toEqual({
      owner: world.address(5),
    });
    const approvals = query.QueryBuilderApprovalsRequest.encode({ owner: world.address(1) });
    expect(
      ask("BuilderApprovals", approvals.finish(), query.QueryBuilderApprovalsResponse),
    ).toEqual({
      approvals: [7, 8].map((n) => ({ builder: world.address(n), feeMaxPpm: 100 * n })),
    });
    expect(world.trader(1, SYMBOL)).toMatchObject({
      tier: 1,
      volume: "60000000000",
      volumeToday: "0",
      referralCode: "",
      budget: { taken: 3n, limit: 61_000n, reduceOnlyLimit: 122_000n, trickleAtMs: 1000n },
      rates: { takerPpm: 400, makerPpm: 100, auctionPpm: 0 },
    });
    expect(world.trader(5)).toMatchObject({ referralCode: "FRIEND", referrer: "" });
  });
});
