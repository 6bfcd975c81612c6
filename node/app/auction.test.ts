import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { describe, expect, it } from "vitest";
import { auctionMarketState } from "./testing/auction-load.ts";
import { TestChain } from "./testing/chain.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";

const ACCOUNTS = 8;

function permutation(count: number, seed: number): number[] {
  const out = Array.from({ length: count }, (_, i) => i);
  let state = seed;
  for (let i = count - 1; i > 0; i--) {
    state = (state * 48_271) % 2_147_483_647;
    const j = state % (i + 1);
    [out[i], out[j]] = [out[j] as number, out[i] as number];
  }
  return out;
}

/** Three blocks of one order an account, each block's transactions in the sequence that `order` gives. */
async function run(order: (count: number, block: number) => readonly number[]) {
  const chain = new TestChain({
    extensionsFrom: 1,
    accounts: ACCOUNTS,
    appState: auctionMarketState(defaultAuctionTerms()),
  });
  await openMarket(chain, "500000000");
  const blocks: string[] = [];
  for (let block = 0; block < 3; block++) {
    const unorderedUntilNs = chain.timeNs() + 5_000_000_000n;
    const txs = chain.accounts.map((one, n) => {
      const side = (n + block) % 2 === 0 ? "buy" : "sell";
      const price = `${65_000 + ((n * 7 + block * 3) % 11) - 5}`;
      const message = orderMessage(one, {
        side,
        price,
        size: `0.00${1 + n}`,
        clientId: `o${block}`,
      });
      return one.sign([message], { unorderedUntilNs });
    });
    const mixed = order(txs.length, block).map((at) => txs[at] as Uint8Array);
    const proposal = [priceTx(chain), ...mixed];
    expect(await chain.app.processProposal(chain.proposed(proposal))).toBe(true);
    const { txResults, events, appHash } = await chain.decide(proposal);
    expect(txResults.filter(({ code }) => code !== 0)).toEqual([]);
    const fills = events.filter(({ type }) => type.startsWith("auction_"));
    expect(fills.length).toBeGreaterThan(2);
    blocks.push(`${bytesToHex(appHash)} ${JSON.stringify(events)}`);
  }
  expect(chain.faults).toEqual([]);
  return blocks;
}

describe("a block's transactions in a batch-auction market", () => {
  it("give the same state, fills and events in every order a proposer could choose", async () => {
    const plain = await run((count) => permutation(count, 1).sort((a, b) => a - b));
    for (const seed of [2, 3, 4]) {
      expect(await run((count, block) => permutation(count, seed * 10 + block))).toEqual(plain);
    }
  });
});
