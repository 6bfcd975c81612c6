import { encodeExtension } from "@keel/modules/oracle/extension";
import { QueryAccountRequest, QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { describe, expect, it } from "vitest";
import { TestChain } from "./testing/chain.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";

describe("the market through the application", () => {
  it("deposits, trades and keeps every invariant, in one block after another", async () => {
    const chain = new TestChain({ extensionsFrom: 1 });
    await openMarket(chain, "500000000");
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const sell = alice.sign([orderMessage(alice, { side: "sell", price: "65000", size: "0.01" })]);
    const buy = bob.sign([orderMessage(bob, { side: "buy", price: "65000", size: "0.01" })]);
    const txs = [priceTx(chain), sell, buy];
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
    const { txResults, events } = await chain.decide(txs);
    expect(txResults.map(({ log }) => log)).toEqual(["", "", ""]);
    expect(events.some(({ type }) => type === "invariant_broken")).toBe(false);
    const response = await chain.app.query({
      path: "/keel.margin.v1.Query/Account",
      data: QueryAccountRequest.encode(
        QueryAccountRequest.fromPartial({ owner: alice.address }),
      ).finish(),
      height: 0,
      prove: false,
    });
    expect(response.log).toBe("");
    expect(QueryAccountResponse.decode(response.value).account?.positions).toHaveLength(1);
    await chain.decide([priceTx(chain, 6_400_000n)]);
    expect(chain.faults).toEqual([]);
  });

  it("after an outage first makes a block without trades and without a fresh price", async () => {
    let lateNs = 0n;
    const chain: TestChain = new TestChain({
      extensionsFrom: 1,
      app: { nowNs: () => chain.timeNs() + lateNs },
    });
    await openMarket(chain, "500000000");
    const alice = chain.account(0);
    const order = (options = {}) =>
      alice.sign([orderMessage(alice, { side: "sell", price: "65000", size: "0.01" })], options);
    const extension = encodeExtension([{ feedId: 1, mantissa: 6_500_000n, confidence: 1n }]);
    const prepared = (tx: Uint8Array) =>
      chain.prepare(
        [tx],
        chain.lastCommit(() => extension),
      );
    const waiting = order();
    lateNs = 10_000_000_000n;
    expect(await prepared(waiting)).toEqual([priceTx(chain), waiting]);
    lateNs = 10_000_000_001n;
    const first = await prepared(waiting);
    expect(first).toHaveLength(1);
    expect(await chain.app.processProposal(chain.proposed(first))).toBe(true);
    // Whoever puts a trade into such a block all the same finds no price to trade on.
    const { txResults } = await chain.decide([...first, waiting]);
    expect(txResults.map(({ log }) => log)).toEqual([
      "",
      expect.stringContaining("the price of BTC-PERP is stale"),
    ]);
    lateNs = 0n;
    const second = await prepared(order());
    expect((await chain.decide(second)).txResults.map(({ log }) => log)).toEqual(["", ""]);
    expect(chain.faults).toEqual([]);
  });
});
