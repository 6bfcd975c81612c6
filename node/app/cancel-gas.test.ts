import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { COLLECTED_CANCEL_GAS } from "@keel/modules/derivatives/limits";
import { MsgCancelAll, MsgCancelOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { expect, it } from "vitest";
import { LISTED_GAS_MAX } from "./limits.ts";
import { auctionMarketState } from "./testing/auction-load.ts";
import { TestChain } from "./testing/chain.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";
import type { TestMessage } from "./testing/signer.ts";

/** What a client gives a transaction that cancels one order, and one that cancels everything (`client/gas.ts`). */
const CLIENT_ONE = 220_000;
const CLIENT_ALL = 4_120_000;
/** Default `open_orders_max` of a market. */
const OPEN_MAX = 200;

/** Gas of a cancel of one order, and then of all others, of an account with so many orders that rest. */
async function gas(count: number, inclusionLists: boolean) {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists };
  const chain = new TestChain({
    ...{ extensionsFrom: 1, accounts: 2 },
    appState: auctionMarketState(auction),
  });
  await openMarket(chain, "500000000");
  const account = chain.account(0);
  const run = async (messages: readonly TestMessage[]): Promise<number> => {
    const tx = account.sign(messages, { gas: 40_000_000 });
    const { txResults } = await chain.decide([priceTx(chain), tx]);
    expect(txResults.map(({ log }) => log)).toEqual(["", ""]);
    await chain.decide([priceTx(chain)]);
    return Number(txResults[1]?.gasUsed);
  };
  const named = { sender: account.address, market: "BTC-PERP" };
  await run(
    Array.from({ length: count }, (_, n) => {
      const clientId = `an-order-with-a-long-name-${n}`;
      return orderMessage(account, { side: "sell", price: "66000", size: "0.001", clientId });
    }),
  );
  const one = MsgCancelOrder.fromPartial({ ...named, clientId: "an-order-with-a-long-name-0" });
  const all = MsgCancelAll.fromPartial(named);
  return {
    one: await run([
      {
        typeUrl: "/keel.derivatives.v1.MsgCancelOrder",
        value: MsgCancelOrder.encode(one).finish(),
      },
    ]),
    all: await run([
      { typeUrl: "/keel.derivatives.v1.MsgCancelAll", value: MsgCancelAll.encode(all).finish() },
    ]),
  };
}

it("a cancel that waits for its round pays what one pays that is done at once, and no more than clients give", async () => {
  const [few, many] = [await gas(11, false), await gas(61, false)];
  const [fewInRounds, manyInRounds] = [await gas(11, true), await gas(61, true)];
  const each = (many.all - few.all) / 50;
  expect(each).toBeGreaterThan(0.95 * COLLECTED_CANCEL_GAS);
  expect(each).toBeLessThan(1.05 * COLLECTED_CANCEL_GAS);
  expect(manyInRounds.all - fewInRounds.all).toBe(50 * COLLECTED_CANCEL_GAS);
  for (const [rounds, direct] of [
    [fewInRounds, few],
    [manyInRounds, many],
  ] as const) {
    expect(rounds.one).toBeGreaterThan(0.95 * direct.one);
    expect(rounds.one).toBeLessThan(1.1 * direct.one);
  }
  // As many as may wait for the round are counted, at 30 each.
  expect(manyInRounds.one + 30 * OPEN_MAX).toBeLessThan(CLIENT_ONE);
  const most = manyInRounds.all + (OPEN_MAX - 60) * COLLECTED_CANCEL_GAS;
  expect(most).toBeLessThan(CLIENT_ALL / 2);
  expect(CLIENT_ALL).toBeLessThanOrEqual(Number(LISTED_GAS_MAX));
});
