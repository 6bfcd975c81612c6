import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { QueryAccountRequest, QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import { describe, expect, it } from "vitest";
import { MemoryCommitStore } from "../store/memory-commit-store.ts";
import type { CommitStore } from "../store/types.ts";
import { storeNames } from "./app.ts";
import { auctionMarketState } from "./testing/auction-load.ts";
import { TestChain, type TestChainOptions } from "./testing/chain.ts";
import { listingCommit, openMarket, orderMessage, priceTx } from "./testing/market-load.ts";

const ACCOUNTS = 6;
const PRICE = 6_500_000n;

const OPTIONS: TestChainOptions = {
  extensionsFrom: 1,
  accounts: ACCOUNTS,
  appState: auctionMarketState({
    ...defaultAuctionTerms(),
    interruptionMs: 0n,
    inclusionLists: true,
  }),
};

async function auctionChain(store?: CommitStore): Promise<TestChain> {
  const chain = new TestChain({ ...OPTIONS, ...(store && { store }) });
  await openMarket(chain, "500000000");
  return chain;
}

function order(chain: TestChain, n: number, side: "buy" | "sell", price: number): Uint8Array {
  const message = orderMessage(chain.account(n), {
    side,
    price: `${price}`,
    size: `0.00${1 + n}`,
    clientId: `o${chain.height}`,
  });
  return chain
    .account(n)
    .sign([message], { unorderedUntilNs: chain.timeNs() + 20_000_000_000n + BigInt(n) });
}

async function equities(chain: TestChain): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { address } of chain.accounts) {
    const answer = await chain.app.query({
      path: "/keel.margin.v1.Query/Account",
      data: QueryAccountRequest.encode(
        QueryAccountRequest.fromPartial({ owner: address }),
      ).finish(),
      height: 0,
      prove: false,
    });
    const { account } = QueryAccountResponse.decode(answer.value);
    const lots = account?.positions.map((position) => position.lots).join();
    found.push(`${account?.equity} ${lots}`);
  }
  return found;
}

/** Events of auctions and of orders that enter, in order. */
function told(events: readonly { type: string; attributes: readonly { value: string }[] }[]) {
  return events
    .filter(({ type }) => type.startsWith("auction_"))
    .map(({ type, attributes }) => [type, ...attributes.slice(0, -1).map(({ value }) => value)]);
}

/** Named orders against one that nobody named the block before; then the price moves. */
async function run(empty: boolean, idle = 0) {
  const chain = await auctionChain();
  const unnamed = order(chain, 0, "sell", 64_950);
  await chain.decide([priceTx(chain, PRICE), unnamed]);
  const named = [
    order(chain, 1, "buy", 65_050),
    order(chain, 2, "buy", 65_020),
    order(chain, 3, "sell", 64_990),
  ];
  const late = order(chain, 4, "buy", 65_100);
  const listing = [priceTx(chain, PRICE, () => named)];
  const prepared = await chain.prepare(
    [late, ...named],
    listingCommit(chain, PRICE, () => named),
  );
  const block = empty ? listing : [...listing, ...prepared.slice(1)];
  expect(prepared).toHaveLength(5);
  expect(await chain.app.processProposal(chain.proposed(block))).toBe(true);
  const first = await chain.decide(block);
  for (let n = 0; n < idle; n++)
    await chain.decide([priceTx(chain, PRICE - 500_000n, () => [...named, late])]);
  // The next block has another price, and the late one in it or in the one before.
  const update = priceTx(chain, PRICE + 100_000n, () => (empty ? [late] : []));
  const overdue = prepared.slice(1, 4);
  const next = empty ? [update, ...overdue, late] : [update];
  expect(await chain.app.processProposal(chain.proposed(next))).toBe(true);
  const second = await chain.decide(next);
  for (const { txResults } of [first, second])
    expect(txResults.filter(({ code }) => code !== 0)).toEqual([]);
  expect(chain.app.brokenInvariant()).toBeNull();
  expect(chain.faults).toEqual([]);
  return {
    auctions: [...told(first.events), ...told(second.events)],
    equities: await equities(chain),
    modes: [...first.events, ...second.events]
      .filter(({ type }) => type === "auction_cleared")
      .map(({ attributes }) => attributes.at(-1)?.value),
    chain,
  };
}

describe("a round", () => {
  it("is held before what nobody named: a withdrawal after the price takes no order out of it", async () => {
    const run = async (withdraws: boolean) => {
      const chain = await auctionChain();
      const buys = order(chain, 1, "buy", 65_050);
      const sells = order(chain, 3, "sell", 64_950);
      const withdrawal = chain.account(1).sign(
        [
          {
            typeUrl: "/keel.margin.v1.MsgWithdraw",
            value: MsgWithdraw.encode(
              MsgWithdraw.fromPartial({
                sender: chain.account(1).address,
                denom: "uusdc",
                amount: "480000000",
              }),
            ).finish(),
          },
        ],
        { unorderedUntilNs: chain.timeNs() + 20_000_000_000n },
      );
      const update = priceTx(chain, PRICE - 300_000n, () => [buys, sells]);
      const txs = await chain.prepare(
        [buys, sells],
        listingCommit(chain, PRICE - 300_000n, () => [buys, sells]),
      );
      const block = [update, ...txs.slice(1), ...(withdraws ? [withdrawal] : [])];
      expect(await chain.app.processProposal(chain.proposed(block))).toBe(true);
      const { events } = await chain.decide(block);
      return told(events);
    };
    expect((await run(false)).length).toBeGreaterThan(1);
    expect(await run(true)).toEqual(await run(false));
  });
});

describe("a round that an empty block puts off", () => {
  it("is what it would have been, before the next block's price, and the next round is too", async () => {
    const [plain, late] = [await run(false), await run(true)];
    expect(plain.auctions.length).toBeGreaterThan(4);
    expect(late.auctions).toEqual(plain.auctions);
    expect(late.equities).toEqual(plain.equities);
    expect(plain.modes).toEqual(["BeginBlock"]);
    expect(late.modes).toEqual(["BeginBlock"]);
  });

  it("is what it would have been after three more empty blocks, too: they do nothing", async () => {
    const [plain, late] = [await run(false), await run(true, 3)];
    expect(late.auctions).toEqual(plain.auctions);
    expect(late.equities).toEqual(plain.equities);
  });

  it("can be explained, and its block executed again", async () => {
    const { chain } = await run(true);
    expect(typeof chain.app.explain(chain.decided())).not.toBe("string");
  });

  it("is finished by a node that was started on an idle block, which has the time of that block", async () => {
    const store = new MemoryCommitStore({ stores: storeNames });
    const chains = [await auctionChain(store), await auctionChain()];
    const [first] = chains as [TestChain, TestChain];
    const buy = order(first, 1, "buy", 65_050);
    const sell = order(first, 3, "sell", 64_950);
    const put = priceTx(first, PRICE, () => [buy, sell]);
    for (const chain of chains) await chain.decide([put]);
    const idle = priceTx(first, PRICE);
    for (const chain of chains) await chain.decide([idle]);
    const again = new TestChain({ ...OPTIONS, store });
    const timeNs = again.app.look((_keel, { header }) => header.timeNs);
    expect(timeNs).toBe(again.timeNs(again.height));
    const next = await again.prepare(
      [buy, sell],
      listingCommit(again, PRICE, () => []),
    );
    expect(next).toHaveLength(3);
    const ends = [await again.decide(next), await (chains[1] as TestChain).decide(next)];
    expect(told(ends[0]?.events ?? []).length).toBeGreaterThan(2);
    expect(ends[0]).toEqual(ends[1]);
  });
});
