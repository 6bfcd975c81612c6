import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { expect, it } from "vitest";
import { auctionMarketState } from "../app/testing/auction-load.ts";
import { depositMessage, orderMessage, priceTx } from "../app/testing/market-load.ts";
import { readChain } from "./testing.ts";

it("what is published of a block has its time, also of one that does nothing while a round is put off", async () => {
  const read = await readChain({
    extensionsFrom: 1,
    accounts: 2,
    appState: auctionMarketState({
      ...defaultAuctionTerms(),
      interruptionMs: 0n,
      inclusionLists: true,
    }),
  });
  const { chain } = read;
  await chain.start();
  await read.decide([]);
  const buyer = chain.account(1);
  await read.decide([priceTx(chain), buyer.sign([depositMessage(buyer, "500000000")])]);
  const order = { side: "buy", price: "65050", size: "0.002", clientId: "o1" } as const;
  const buy = buyer.sign([orderMessage(buyer, order)], {
    unorderedUntilNs: chain.timeNs() + 20_000_000_000n,
  });
  // It is missing, twice more, and then there.
  for (const { named, held } of [
    { named: [buy], held: [] },
    { named: [], held: [] },
    { named: [], held: [] },
    { named: [], held: [buy] },
  ]) {
    const { published, response } = await read.decide([
      priceTx(chain, undefined, () => named),
      ...held,
    ]);
    expect(response.txResults.map(({ code }) => code)).toEqual([0, ...held.map(() => 0)]);
    expect(published.timeMs).toBe(Number(chain.timeNs(chain.height) / 1_000_000n));
  }
});
