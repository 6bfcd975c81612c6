import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import { describe, expect, it } from "vitest";
import { TestChain } from "./testing/chain.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";

const HOUR_NS = 3_600_000_000_000n;
const START_NS = 1_790_000_000_000_000_000n;

/** A market whose hour ends with the last of its blocks. */
async function hourEnds(
  explainEntries?: number,
): Promise<{ chain: TestChain; response: FinalizeBlockResponse }> {
  const next = (START_NS / HOUR_NS + 1n) * HOUR_NS;
  const chain: TestChain = new TestChain({
    extensionsFrom: 1,
    ...(explainEntries === undefined ? {} : { app: { explainEntries } }),
    clock: (height) => (height < 6 ? next - BigInt(7 - height) * 1_000_000_000n : next),
  });
  await openMarket(chain, "500000000");
  const [alice, bob] = [chain.account(0), chain.account(1)];
  const sell = alice.sign([orderMessage(alice, { side: "sell", price: "65000", size: "0.01" })]);
  const buy = bob.sign([orderMessage(bob, { side: "buy", price: "65000", size: "0.01" })]);
  await chain.decide([priceTx(chain), sell, buy]);
  await chain.decide([priceTx(chain)]);
  await chain.decide([priceTx(chain)]);
  const response = await chain.decide([priceTx(chain)]);
  return { chain, response };
}

describe("executing a block again to say why", () => {
  it("gives the events that the block has, and the reason of those that nobody asked for", async () => {
    const { chain, response } = await hourEnds();
    const block = chain.decided();
    const before = chain.store.appHash;
    const explained = chain.app.explain(block);
    if (typeof explained === "string") throw new Error(explained);
    expect(explained.map(({ event }) => [event.type, event.attributes])).toEqual(
      response.events.map(({ type, attributes }) => [type, attributes]),
    );
    const rate = explained.find(({ event }) => event.type === "funding_rate");
    const attributes = new Map(rate?.event.attributes.map(({ key, value }) => [key, value]));
    const results = new Map(
      rate?.explanation?.results.map(({ name, value, unit }) => [name, `${value} ${unit}`]),
    );
    expect(results).toEqual(
      new Map([
        ["rate", `${attributes.get("rate_8h_ppm")} ppm`],
        ["index", `${attributes.get("index")} quanta per lot`],
      ]),
    );
    expect(rate?.explanation?.inputs.map(({ name }) => name)).toContain("interest");
    expect(chain.store.appHash).toEqual(before);
  });

  it("changes nothing: the next block has the app hash that it has without", async () => {
    const [asked, quiet] = await Promise.all([hourEnds(), hourEnds()]);
    asked.chain.app.explain(asked.chain.decided());
    for (const { chain } of [asked, quiet]) await chain.decide([priceTx(chain)]);
    expect(asked.chain.store.appHash).toEqual(quiet.chain.store.appHash);
    expect(asked.chain.faults).toEqual([]);
  });

  it("refuses a state with more entries than the node allows, and none with fewer", async () => {
    const answers = [5, 5_000].map(async (entries) => {
      const { chain } = await hourEnds(entries);
      const answer = chain.app.explain(chain.decided());
      return typeof answer === "string" ? answer : "explained";
    });
    expect(await Promise.all(answers)).toEqual(["large", "explained"]);
  });

  it("says so when the state before the block is gone", async () => {
    const { chain } = await hourEnds();
    expect(chain.app.explain({ ...chain.decided(), height: 500 })).toBe("gone");
  });
});
