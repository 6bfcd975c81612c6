/** A batch-auction market on a running validator, traded with the client library. */
import { batchFinal, placeFinal } from "@keel/client/final-orders";
import { KeelClient } from "@keel/client/keel-client";
import { KeelSigningClient } from "@keel/client/signing-client";
import type { MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roleWallet } from "../keys/roles.ts";
import { type OneValidator, startOneValidator } from "./one-validator.ts";

const market = "BTC-USD-PERP";

const terms: MarketTerms = {
  takerFeePpm: 500,
  makerFeePpm: 100,
  tiers: [{ aboveQuanta: "0", initialPpm: 50_000n, maintenancePpm: 30_000n }],
  priceBandPpm: 50_000n,
  liquidationBandPpm: 80_000n,
  notionalMin: 1_000_000n,
  notionalMax: "50000000000000",
  openOrdersMax: 200,
  fillsPerOrderMax: 200,
  openInterestMaxLots: 0n,
  optionRisk: undefined,
  auction: {
    matching: MatchingMode.MATCHING_MODE_BATCH_AUCTION,
    feePpm: 300,
    ordersMax: 1000,
    openingMs: 0n,
    interruptionMs: 0n,
    inclusionLists: true,
  },
  mark: undefined,
};

let validator: OneValidator;
let chain: KeelClient;

async function trader(name: Parameters<typeof roleWallet>[0]): Promise<KeelSigningClient> {
  return await KeelSigningClient.connectWithSigner(chain, (await roleWallet(name)).signer, {
    unordered: true,
  });
}

beforeAll(async () => {
  validator = await startOneValidator({}, { terms });
  chain = await KeelClient.connect(validator.rpc);
});

afterAll(async () => {
  chain?.disconnect();
  await validator?.stop();
});

describe("a batch-auction market", () => {
  it("tells each order's fate: rests, is filled at the auction's price, or leaves with a reason", async () => {
    const [alice, bob] = [await trader("alice"), await trader("bob")];
    await Promise.all([alice.deposit("100000"), bob.deposit("100000")]);
    expect(await chain.auction(market)).toMatchObject({ matching: 1, collectedOrders: 0 });
    const { markPrice } = await chain.market(market);
    const price = `${Math.round(Number(markPrice))}`;
    const rests = await alice.placeInAuction({
      market,
      side: "buy",
      price,
      size: "0.02",
      clientId: "bid",
    });
    expect(rests).toMatchObject({ status: "open", filledSize: "0", remainingSize: "0.02" });
    expect((await alice.openOrders()).map(({ orderId }) => orderId)).toEqual([rests.orderId]);
    const waiting = alice.placeInAuction(
      { market, side: "buy", price: `${Number(price) + 100}`, size: "0.01", clientId: "better" },
      { untilFilled: true },
    );
    const sells = await bob.placeInAuction({
      market,
      side: "sell",
      price: `${Number(price) - 500}`,
      size: "0.005",
      timeInForce: "ioc",
      clientId: "ask",
    });
    expect(sells).toMatchObject({ status: "filled", filledSize: "0.005", remainingSize: "0" });
    expect(Number(sells.fee)).toBeGreaterThan(0);
    const more = await bob.placeInAuction({
      market,
      side: "sell",
      price: `${Number(price) - 500}`,
      size: "1",
      timeInForce: "ioc",
      clientId: "rest",
    });
    expect(more).toMatchObject({ status: "cancelled", reason: "immediate" });
    expect((await waiting).filledSize).not.toBe("0");
    expect((await bob.positions())[0]?.size).toBe("-0.03");
    const bid = { market, side: "buy", price, size: "0.01", clientId: "final" } as const;
    expect(await placeFinal(alice, bid)).toMatchObject({ status: "open", remainingSize: "0.01" });
    const ask = { ...bid, side: "sell", size: "0.004", clientId: "item" } as const;
    const { orders } = await batchFinal(bob, { orders: [ask, { ...ask, clientId: "twin" }] });
    expect(orders).toMatchObject([
      { ok: true, status: "filled", filledSize: "0.004", fills: 1, remainingSize: "0" },
      { ok: true, status: "filled", filledSize: "0.004", fills: 1, remainingSize: "0" },
    ]);
    await expect(
      bob.placeInAuction({ market, side: "buy", price, size: "1", postOnly: true, clientId: "p" }),
    ).rejects.toMatchObject({ codespace: "derivatives", code: 51, codeName: "NOT_IN_AUCTION" });
  });
});
