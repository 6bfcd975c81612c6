import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { MsgCancelOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { expect, it } from "vitest";
import { auctionMarketState } from "./testing/auction-load.ts";
import { TestChain } from "./testing/chain.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";

const ACCOUNTS = 5;
const HEIGHT = 50;
const PRICE = 6_500_000n;

function order(chain: TestChain, n: number, side: "buy" | "sell", clientId: string) {
  const account = chain.account(n);
  const message = orderMessage(account, { side, price: "65000", size: "0.002", clientId });
  return account.sign([message], { unorderedUntilNs: chain.timeNs() + 20_000_000_000n });
}

/** At the given height, with orders of a round and a cancel that are still to come. */
async function exported(): Promise<{ state: Record<string, unknown>; timeNs: bigint }> {
  const chain = new TestChain({
    ...{ accounts: ACCOUNTS, extensionsFrom: 1 },
    appState: auctionMarketState({
      ...defaultAuctionTerms(),
      interruptionMs: 0n,
      inclusionLists: true,
    }),
  });
  await openMarket(chain, "500000000");
  while (chain.height < HEIGHT - 2) await chain.decide([priceTx(chain, PRICE)]);
  await chain.decide([priceTx(chain, PRICE), order(chain, 2, "sell", "rests")]);
  const account = chain.account(2);
  const cancel = account.sign(
    [
      {
        typeUrl: "/keel.derivatives.v1.MsgCancelOrder",
        value: MsgCancelOrder.encode(
          MsgCancelOrder.fromPartial({
            sender: account.address,
            market: "BTC-PERP",
            clientId: "rests",
          }),
        ).finish(),
      },
    ],
    { unorderedUntilNs: chain.timeNs() + 20_000_000_000n },
  );
  const sell = order(chain, 0, "sell", "sells");
  const buy = order(chain, 1, "buy", "buys");
  const { txResults } = await chain.decide([priceTx(chain, PRICE), cancel, sell, buy]);
  expect(txResults.map(({ log }) => log)).toEqual(["", "", "", ""]);
  expect(chain.height).toBe(HEIGHT);
  return {
    state: chain.app.exportGenesis() as Record<string, unknown>,
    timeNs: chain.timeNs(HEIGHT),
  };
}

it("orders and cancels of a round that was to come are of the first auction, wherever the heights of a new chain begin", async () => {
  const { state, timeNs } = await exported();
  const told = await Promise.all(
    [1, 7, HEIGHT + 1, 1_000].map(async (initialHeight) => {
      const chain = new TestChain({
        ...{ accounts: ACCOUNTS, appState: state, extensionsFrom: initialHeight, initialHeight },
        clock: (height) => timeNs + BigInt(height - initialHeight + 1) * 1_000_000_000n,
      });
      await chain.start();
      const { events } = await chain.decide([]);
      expect(chain.app.brokenInvariant()).toBeNull();
      // It goes on with rounds of its own.
      const more = [order(chain, 3, "sell", "m"), order(chain, 4, "buy", "n")];
      await chain.decide([priceTx(chain, PRICE), ...more]);
      const later = await chain.decide([priceTx(chain, PRICE)]);
      expect(chain.app.brokenInvariant()).toBeNull();
      expect(chain.faults).toEqual([]);
      return [...events, ...later.events].flatMap(({ type, attributes }) => {
        const id = attributes.find(({ key }) => key === "client_id")?.value ?? "";
        return /^auction_fill|^order_cancelled/.test(type) ? [`${type} ${id}`] : [];
      });
    }),
  );
  for (const events of told)
    expect(events).toEqual([
      "order_cancelled rests",
      "auction_fill buys",
      "auction_fill sells",
      "auction_fill n",
      "auction_fill m",
    ]);
});
