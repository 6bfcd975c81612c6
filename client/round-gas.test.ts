import { DirectSecp256k1Wallet } from "@cosmjs/proto-signing";
import { QueryMarketRequest, QueryMarketResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  MsgAmendOrder,
  MsgBatchOrders,
  MsgCancelAll,
  MsgCancelOrder,
  MsgPlaceOco,
  MsgPlaceOrder,
  NewOrder,
  OrderRef,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { QueryAccountRequest, QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { gasLimitFor } from "./gas.ts";
import { KeelClient } from "./keel-client.ts";
import { GAS_KNOWN_AGE_MS, NAMED_GAS_MAX } from "./limits.ts";
import { RoundGas } from "./round-gas.ts";
import { KeelSigningClient } from "./signing-client.ts";
import { FakeNode } from "./testing/fake-node.ts";

const ME = "keel1me";
const MARKET_PATH = "/keel.derivatives.v1.Query/Market";
const ACCOUNT_PATH = "/keel.margin.v1.Query/Account";

/** AUCTION matches by auction, PLAIN does not; sub-account n has n positions. */
class World {
  readonly node: FakeNode;
  readonly asked: string[] = [];
  matching: MatchingMode = MatchingMode.MATCHING_MODE_BATCH_AUCTION;
  more = 0;

  constructor() {
    this.node = new FakeNode();
    this.node.queries.set(MARKET_PATH, (data) => {
      const { market } = QueryMarketRequest.decode(data);
      this.asked.push(market);
      const terms = market === "AUCTION" ? { auction: { matching: this.matching } } : {};
      const answer = { market: { market: { symbol: market, terms } } };
      return QueryMarketResponse.encode(QueryMarketResponse.fromPartial(answer)).finish();
    });
    this.node.queries.set(ACCOUNT_PATH, (data) => {
      const { owner, subaccount } = QueryAccountRequest.decode(data);
      this.asked.push(`${owner}/${subaccount}`);
      const positions = Array.from({ length: subaccount + this.more }, () => ({}));
      const answer = { account: { positions } };
      return QueryAccountResponse.encode(QueryAccountResponse.fromPartial(answer)).finish();
    });
  }
}

let world: World;
let url: string;
let chain: KeelClient;

beforeEach(async () => {
  world = new World();
  url = await world.node.start();
  chain = await KeelClient.connect(url, { streaming: false });
});

afterEach(async () => {
  chain.disconnect();
  await world.node.stop();
});

function batch(
  orders: number,
  cancels: number,
  change: Parameters<typeof MsgBatchOrders.fromPartial>[0] = {},
) {
  const market = "AUCTION";
  const value = MsgBatchOrders.fromPartial({
    sender: ME,
    subaccount: 1,
    orders: Array.from({ length: orders }, () => NewOrder.fromPartial({ market })),
    cancels: Array.from({ length: cancels }, () => OrderRef.fromPartial({ market })),
    ...change,
  });
  return { typeUrl: "/keel.derivatives.v1.MsgBatchOrders", value };
}

describe("where a market matches by auction", () => {
  it("what orders and cancels use and half as much again, up to what is named", async () => {
    const gas = new RoundGas(chain, ME);
    const place = {
      typeUrl: "/keel.derivatives.v1.MsgPlaceOrder",
      value: MsgPlaceOrder.fromPartial({ sender: ME, subaccount: 1, market: "AUCTION" }),
    };
    const cancel = {
      typeUrl: "/keel.derivatives.v1.MsgCancelOrder",
      value: MsgCancelOrder.fromPartial({ sender: ME, market: "AUCTION" }),
    };
    expect(await gas.limit([place])).toBe(1.5 * 152_000);
    const twap = { ...place.value, twap: { slices: 10, intervalMs: 1000n } };
    expect(await gas.limit([{ ...place, value: twap }])).toBe(1.5 * 852_000);
    expect(await gas.limit([place, cancel])).toBe(1.5 * 179_000);
    expect(await gas.limit([batch(8, 8)])).toBe(1.5 * (120_000 + 8 * 59_000));
    expect(await gas.limit([batch(50, 50)])).toBe(NAMED_GAS_MAX);
    expect(await gas.limit([batch(100, 0)])).toBe(NAMED_GAS_MAX);
    expect(await gas.limit([batch(0, 100)])).toBe(NAMED_GAS_MAX);
    expect(world.asked).toEqual(["AUCTION", `${ME}/1`]);
  });

  it("more for the orders of a bracket, and for a pair", async () => {
    const gas = new RoundGas(chain, ME);
    const attached = { triggerPrice: "1" };
    const bracket = { takeProfit: attached, stopLoss: attached };
    const orders = [NewOrder.fromPartial({ market: "AUCTION", bracket })];
    expect(await gas.limit([batch(1, 0, { orders })])).toBe(1.5 * (152_000 + 2 * 9_000));
    const pair = {
      typeUrl: "/keel.derivatives.v1.MsgPlaceOco",
      value: MsgPlaceOco.fromPartial({
        sender: ME,
        subaccount: 1,
        legs: [{ market: "AUCTION" }, { market: "AUCTION" }],
      }),
    };
    expect(await gas.limit([pair])).toBe(1.5 * (152_000 + 32_000 + 9_000));
  });

  it("more for each further position, and for an owner whose trading key sends it", async () => {
    const gas = new RoundGas(chain, ME);
    const of = async (subaccount: number, owner = "") =>
      (await gas.limit([batch(8, 0, { subaccount, owner })])) ?? 0;
    expect((await of(4)) - (await of(1))).toBe(1.5 * 8 * 3 * 7_000);
    expect(await of(0)).toBe(await of(1));
    expect(await of(1, ME)).toBe(await of(1));
    expect((await of(1, "keel1other")) - (await of(1))).toBe(1.5 * 8 * 12_000);
    expect(await gas.limit([batch(50, 50, { subaccount: 4 })])).toBe(NAMED_GAS_MAX);
  });

  it("no limit of its own for what cannot be named, does other things or is elsewhere", async () => {
    const gas = new RoundGas(chain, ME);
    const plain = { orders: [NewOrder.fromPartial({ market: "PLAIN" })] };
    const amended = { amendments: [MsgAmendOrder.fromPartial({ market: "AUCTION" })] };
    const all = {
      typeUrl: "/keel.derivatives.v1.MsgCancelAll",
      value: MsgCancelAll.fromPartial({ market: "AUCTION" }),
    };
    for (const messages of [
      [batch(50, 50, { subaccount: 5 })],
      [batch(100, 100)],
      [batch(1, 1, plain)],
      [batch(1, 1, amended)],
      [all],
      [batch(1, 1), all],
    ])
      expect(await gas.limit(messages)).toBeNull();
    world.node.queries.delete(MARKET_PATH);
    expect(await new RoundGas(chain, ME).limit([batch(1, 1)])).toBeNull();
  });

  it("what the chain says is asked again when it is old, and the transaction does not wait for it", async () => {
    let now = 0;
    const gas = new RoundGas(chain, ME, () => now);
    const limit = () => gas.limit([batch(1, 0)]);
    const before = await limit();
    world.more = 1;
    now += GAS_KNOWN_AGE_MS - 1;
    expect(await limit()).toBe(before);
    expect(world.asked).toHaveLength(2);
    now += 1;
    expect(await limit()).toBe(before);
    await vi.waitFor(async () => expect(await limit()).toBe((before ?? 0) + 1.5 * 7_000));
    expect(world.asked).toHaveLength(4);
    world.matching = MatchingMode.MATCHING_MODE_CONTINUOUS;
    now += GAS_KNOWN_AGE_MS;
    await limit();
    await vi.waitFor(async () => expect(await limit()).toBeNull());
  });

  it("is what a client signs, and elsewhere the limit by kind of message", async () => {
    const signer = await DirectSecp256k1Wallet.fromKey(new Uint8Array(32).fill(7), "keel");
    const client = await KeelSigningClient.connectWithSigner(chain, signer);
    const plain = batch(1, 1, { orders: [NewOrder.fromPartial({ market: "PLAIN" })] });
    for (const message of [batch(8, 8), plain]) await client.submit([message]);
    const signed = world.node.sent.map(({ authInfo }) => Number(authInfo.fee?.gasLimit));
    expect(signed).toEqual([1.5 * (120_000 + 8 * 59_000), gasLimitFor([plain])]);
  });
});
