/** Positions and sub-accounts that change hands, on the real ledger under the real market. */

import {
  EXPIRY_MS,
  type TestKey,
  testDocument,
  testKey,
  testSigned,
  testTrade,
} from "@keel/modules/derivatives/external/testing";
import { type AccountId, accountId } from "@keel/modules/kit/account-id";
import { changedKeys } from "@keel/modules/kit/testing/changes";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { beforeEach, describe, expect, it } from "vitest";
import { exportGenesis } from "./genesis.ts";
import { createModuleWorld, type ModuleWorld } from "./testing/module-world.ts";

const TYPE = "/keel.derivatives.v1.";
const UNIT = 1_000_000n;
const [alice, bob, carol] = [testKey(1), testKey(2), testKey(3)];

let world: ModuleWorld;

beforeEach(() => {
  world = createModuleWorld();
  world.setPrice(6_500_000n);
  for (const key of [alice, bob, carol]) world.fund(key.bytes, 0, 10_000n * UNIT);
});

const id = (key: TestKey, subaccount = 0): AccountId => accountId(key.bytes, subaccount);
const equity = (account: AccountId): bigint =>
  world.keel.margin.health(world.ctx, account)?.equity ?? 0n;
const lots = (account: AccountId): bigint => world.keel.margin.positionLots(world.ctx, account, 1);

function place(by: TestKey, side: 1 | 2, price: string, size: string, change: object = {}): void {
  const order = tx.MsgPlaceOrder.fromPartial({
    ...{ sender: by.address, market: "BTC-PERP", side, type: 1, price, size },
    ...change,
  });
  world.handle(`${TYPE}MsgPlaceOrder`, tx.MsgPlaceOrder.encode(order).finish());
}

/** Alice buys `size` from Bob at 65,000. */
function trade(size: string): void {
  place(bob, 2, "65000", size);
  place(alice, 1, "65000", size);
}

interface Ends {
  readonly from?: TestKey;
  readonly fromSubaccount?: number;
  readonly to?: TestKey;
  readonly toSubaccount?: number;
}

function ends({ from = alice, fromSubaccount = 0, to = carol, toSubaccount = 0 }: Ends) {
  return { fromOwner: from.address, fromSubaccount, toOwner: to.address, toSubaccount };
}

const move = (
  message: Ends & {
    readonly size?: string;
    readonly collateral?: string;
    readonly market?: string;
  } = {},
) =>
  tx.MsgTransferPositionResponse.decode(
    world.handle(
      `${TYPE}MsgTransferPosition`,
      tx.MsgTransferPosition.encode(
        tx.MsgTransferPosition.fromPartial({ market: "BTC-PERP", ...message, ...ends(message) }),
      ).finish(),
    ),
  );

const port = (message: Ends = {}) =>
  world.handle(
    `${TYPE}MsgTransferSubaccount`,
    tx.MsgTransferSubaccount.encode(ends(message)).finish(),
  );

function refused(codespace: string, code: number, work: () => unknown): void {
  const before = world.ctx.state.fork();
  expect(work).toThrow(expect.objectContaining({ codespace, code }));
  expect(changedKeys(before, world.ctx.state)).toEqual([]);
  expect(world.violation()).toBeNull();
}

describe("a position", () => {
  it("moves at mark with its collateral: nobody gains, wherever the mark stands", () => {
    trade("0.5");
    world.ctx.nextBlock(5);
    world.setPrice(6_630_050n);
    world.keel.derivatives.beginBlock(world.ctx);
    const before = [equity(id(alice)), equity(id(carol))];
    expect(move({ size: "0.2", collateral: `${1_000n * UNIT}` })).toEqual({
      size: "0.2",
      price: "66300.5",
    });
    expect(equity(id(alice))).toBe(before[0]! - 1_000n * UNIT);
    expect(equity(id(carol))).toBe(before[1]! + 1_000n * UNIT);
    expect([lots(id(alice)), lots(id(carol))]).toEqual([300n, 200n]);
    expect(move({ from: bob, to: carol, size: "0.3" })).toMatchObject({ size: "-0.3" });
    expect([lots(id(bob)), lots(id(carol))]).toEqual([-200n, -100n]);
    expect(world.ctx.events.filter(({ type }) => type === "position_transferred")).toHaveLength(2);
    expect(world.violation()).toBeNull();
  });

  it("moves as a whole into an unused sub-account, and reduce-only orders follow", () => {
    trade("0.5");
    place(alice, 2, "66000", "0.4", { reduceOnly: true });
    move({ size: "0.2" });
    expect(world.keel.derivatives.terms(world.ctx, 1)?.status).toBe("active");
    const reduced = world.ctx.events.filter(({ type }) => type === "order_reduced");
    const remaining = reduced.at(-1)?.attributes.find(({ key }) => key === "remaining");
    expect(remaining?.value).toBe("0.3");
    expect(move({ to: alice, toSubaccount: 9, collateral: `${5_000n * UNIT}` }).size).toBe("0.3");
    expect([lots(id(alice)), lots(id(alice, 9))]).toEqual([0n, 300n]);
    expect(world.violation()).toBeNull();
  });

  it("does not move without margin on either side, a fresh mark or an open market", () => {
    trade("0.5");
    refused("derivatives", 71, () => move({ from: carol, to: bob }));
    refused("derivatives", 71, () => move({ size: "0.501" }));
    refused("derivatives", 9, () => move({ size: "0.0005" }));
    refused("derivatives", 73, () => move({ to: alice }));
    refused("derivatives", 2, () => move({ collateral: "-1" }));
    refused("derivatives", 4, () => move({ market: "X" }));
    refused("margin", 7, () => move({ to: alice, toSubaccount: 9, collateral: "5" }));
    refused("margin", 6, () => move({ to: alice, toSubaccount: 9 }));
    refused("margin", 7, () => move({ size: "0.1", collateral: `${9_000n * UNIT}` }));
    refused("margin", 8, () => move({ size: "0.1", collateral: `${20_000n * UNIT}` }));
    const status = (to: number): void =>
      world.keel.derivatives.updateMarket(world.ctx, "BTC-PERP", {
        status: to as 1,
        terms: undefined,
      });
    status(3);
    refused("derivatives", 5, () => move());
    status(2);
    move({ size: "0.1" });
    world.ctx.nextBlock(6);
    refused("derivatives", 7, () => move());
  });

  it("is signed for by both owners, once where they are the same", () => {
    const route = world.keel.messages.get(`${TYPE}MsgTransferPosition`)!;
    const signers = (message: Ends) =>
      route.signers(tx.MsgTransferPosition.fromPartial(ends(message)));
    expect(signers({})).toEqual([alice.address, carol.address]);
    expect(signers({ to: alice, toSubaccount: 1 })).toEqual([alice.address]);
  });
});

describe("genesis", () => {
  it("carries documents, salts and grants through the genesis document's JSON", () => {
    const documents = [
      testSigned(testDocument(alice, "buy 0.5 @ 65000", { market: "BTC-PERP" }), alice),
      testSigned(testDocument(bob, "sell 0.5 @ 65000", { market: "BTC-PERP" }), bob, 2),
    ];
    const trades = [testTrade({ price: "65000", size: "0.25" })];
    const clearing = tx.MsgClearTrades.fromPartial({ sender: carol.address, documents, trades });
    world.handle(`${TYPE}MsgClearTrades`, tx.MsgClearTrades.encode(clearing).finish());
    const cancel = { sender: bob.address, owner: "", subaccount: 0, documents: [], saltBelow: 9n };
    world.handle(`${TYPE}MsgCancelDocuments`, tx.MsgCancelDocuments.encode(cancel).finish());
    const grant = {
      sender: alice.address,
      key: { type: 2, key: testKey(7, "ed25519").key },
      subaccounts: [0],
      markets: ["BTC-PERP"],
      notionalPerDay: "5",
      expiryMs: EXPIRY_MS,
    } as const;
    const message = tx.MsgGrantTradingKey.fromPartial({
      ...grant,
      markets: [...grant.markets],
      subaccounts: [0],
    });
    world.handle(`${TYPE}MsgGrantTradingKey`, tx.MsgGrantTradingKey.encode(message).finish());
    const exported = exportGenesis(world.ctx, world.keel.genesis);
    const again = createModuleWorld(JSON.parse(JSON.stringify(exported)));
    expect(exportGenesis(again.ctx, again.keel.genesis)).toEqual(exported);
    expect(again.violation()).toBeNull();
    const { documents: kept, trading_grants: grants } = exported["derivatives"] as Record<
      string,
      unknown[]
    >;
    expect([kept?.length, grants?.length]).toEqual([2, 1]);
  });
});

describe("a sub-account", () => {
  it("is ported whole, its orders cancelled", () => {
    trade("0.5");
    place(alice, 2, "66000", "0.4", { reduceOnly: true });
    place(alice, 1, "64000", "0.1");
    const before = equity(id(alice));
    port({ to: carol, toSubaccount: 3 });
    expect(equity(id(carol, 3))).toBe(before);
    expect([lots(id(alice)), lots(id(carol, 3))]).toEqual([0n, 500n]);
    const left = world.ctx.events.filter(({ type }) => type === "order_cancelled");
    expect(left.map(({ attributes }) => attributes.at(-1)?.value)).toEqual([
      "transfer",
      "transfer",
    ]);
    expect(world.violation()).toBeNull();
    refused("derivatives", 22, () => port({ to: carol, toSubaccount: 4 }));
  });

  it("goes only where nothing is, and only when it is safe", () => {
    trade("0.5");
    refused("derivatives", 72, () => port());
    refused("derivatives", 73, () => port({ to: alice }));
    world.ctx.nextBlock(6);
    refused("margin", 9, () => port({ to: carol, toSubaccount: 3 }));
    world.setPrice(4_700_000n);
    refused("margin", 7, () => port({ to: carol, toSubaccount: 3 }));
  });
});
