/** Matching elsewhere, transfers and trading keys, as a user does them with the client library, against one running validator. */
import { Secp256k1HdWallet } from "@cosmjs/amino";
import { signDocument } from "@keel/client/documents";
import { KeelClient } from "@keel/client/keel-client";
import { KeelSigningClient } from "@keel/client/signing-client";
import { TradingKey } from "@keel/client/trading-key";
import { hexToBytes } from "@keel/proto/bytes/hex";
import type { OrderDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OneValidator, startOneValidator } from "../bots/one-validator.ts";
import { roles, roleWallet } from "../keys/roles.ts";
import { documentState, submitDocument } from "./client.ts";
import { createQuoter, tradeByQuote } from "./rfq.ts";
import { type Matcher, startMatcher } from "./server.ts";

const market = "BTC-USD-PERP";

let validator: OneValidator;
let chain: KeelClient;
let matcher: Matcher;
let alice: KeelSigningClient;
let bob: KeelSigningClient;
let maker: KeelSigningClient;
/** Signs for Bob. */
let hot: TradingKey;
let hand: KeelSigningClient;

async function signer(name: Parameters<typeof roleWallet>[0]): Promise<KeelSigningClient> {
  return await KeelSigningClient.connectWithSigner(chain, (await roleWallet(name)).signer);
}

/** The mark, moved by whole units, at the market's tick. */
async function price(offset = 0): Promise<string> {
  for (;;) {
    const { markPrice, markFresh } = await chain.market(market);
    if (markPrice !== undefined && markFresh) return `${Math.round(Number(markPrice)) + offset}`;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function soonMs(seconds = 60): Promise<bigint> {
  return (await chain.chainTimeNs()) / 1_000_000n + BigInt(seconds) * 1_000n;
}

/** As a browser wallet does: by ADR-036. */
async function byWallet(name: "alice" | "maker-1", document: OrderDocument) {
  const mnemonic = roles.find((role) => role.name === name)?.mnemonic ?? "";
  const wallet = await Secp256k1HdWallet.fromMnemonic(mnemonic, { prefix: "keel" });
  return await signDocument(document, wallet);
}

async function size(client: KeelSigningClient, subaccount = 0): Promise<string> {
  return (await client.positions(subaccount))[0]?.size ?? "0";
}

beforeAll(async () => {
  validator = await startOneValidator();
  chain = await KeelClient.connect(validator.rpc);
  [alice, bob, maker] = [await signer("alice"), await signer("bob"), await signer("maker-1")];
  for (const client of [alice, bob, maker]) await client.deposit("100000");
  matcher = await startMatcher({ client: await signer("faucet"), port: 0 });
  hot = await TradingKey.generate("ed25519");
  await price();
});

afterAll(async () => {
  await matcher?.stop();
  chain?.disconnect();
  await validator?.stop();
});

describe("a trading key", () => {
  it("is granted, and trades for its owner from a key of its own", async () => {
    const { trader } = await bob.grantTradingKey({
      key: hot.publicKey,
      subaccounts: [0],
      markets: [market],
      notionalPerDay: "1000000",
      expiryMs: await soonMs(3_600),
    });
    expect(trader).toBe(hot.address);
    hand = await KeelSigningClient.connectWithSigner(chain, hot.signer);
    const owner = bob.address;
    const far = await price(-1_000);
    const placed = await hand.place({ owner, market, side: "buy", price: far, size: "0.1" });
    expect(placed.status).toBe("open");
    expect(await bob.openOrders()).toMatchObject([{ orderId: placed.orderId, owner }]);
    expect(await chain.tradingKeys(owner)).toMatchObject([{ trader, markets: [market] }]);
    const unordered = await hand.cancelAll({ owner }, { unordered: true });
    expect(unordered.cancelled).toBe(1);
    await expect(
      hand.place({ owner, subaccount: 1, market, side: "buy", price: far, size: "0.1" }),
    ).rejects.toMatchObject({ codeName: "NOT_GRANTED" });
    await expect(
      hand.place({ owner, market, side: "buy", price: far, size: "20" }),
    ).rejects.toMatchObject({ codeName: "GRANT_EXHAUSTED" });
    await expect(hand.withdraw("1")).rejects.toMatchObject({ codespace: "margin" });
  });
});

describe("trades matched elsewhere", () => {
  it("clear between a wallet and a trading key, in parts, and are told apart from refused ones", async () => {
    const at = await price();
    const expiryMs = await soonMs();
    const buy = await alice.document({ market, side: "buy", price: at, size: "0.5", expiryMs });
    const resting = await submitDocument(matcher.url, await byWallet("alice", buy));
    expect(resting).toMatchObject({ matches: [], resting: "0.5" });
    const sell = await bob.document({ market, side: "sell", price: at, size: "0.2", expiryMs });
    const taken = await submitDocument(matcher.url, await hot.signDocument(sell));
    expect(taken.matches).toEqual([{ price: at, size: "0.2" }]);
    await matcher.idle();
    expect((await documentState(matcher.url, taken.hash)).lastTrade).toMatchObject({
      state: "cleared",
    });
    expect([await size(alice), await size(bob)]).toEqual(["0.2", "-0.2"]);
    expect(await chain.document(hexToBytes(resting.hash))).toMatchObject({
      size: "0.5",
      filledSize: "0.2",
    });

    await alice.cancelDocuments({ documents: [buy] });
    const late = await bob.document({ market, side: "sell", price: at, size: "0.1", expiryMs });
    const refused = await submitDocument(matcher.url, await hot.signDocument(late));
    await matcher.idle();
    expect((await documentState(matcher.url, refused.hash)).lastTrade).toMatchObject({
      state: "refused",
      codespace: "derivatives",
      code: 65,
    });
    await expect(
      submitDocument(matcher.url, await hot.signDocument({ ...late, chainId: "other" })),
    ).rejects.toThrow("keel-one-1");
    expect([await size(alice), await size(bob)]).toEqual(["0.2", "-0.2"]);
  });

  it("clear by request for quote, at the best of the answers", async () => {
    const [low, high] = [await price(1), await price(3)];
    const quoters = [
      createQuoter(
        maker,
        (document) => byWallet("maker-1", document),
        () => high,
      ),
      createQuoter(
        bob,
        (document) => hot.signDocument(document),
        () => low,
      ),
      () => Promise.resolve(null),
    ];
    const wanted = { market, side: "buy", size: "0.1", expiryMs: await soonMs() } as const;
    const sign = (document: OrderDocument) => byWallet("alice", document);
    const none = { ...wanted, limit: await price(-100) };
    expect(await tradeByQuote(alice, sign, quoters, none)).toBeNull();
    const done = await tradeByQuote(alice, sign, quoters, { ...wanted, limit: high });
    expect(done?.price).toBe(low);
    expect([await size(alice), await size(bob)]).toEqual(["0.3", "-0.3"]);
  });
});

describe("transfers", () => {
  it("move a position between two owners who both sign, and a whole sub-account", async () => {
    const from = { owner: alice.address };
    const to = { owner: maker.address };
    const moved = await alice.transferPosition(
      { from, to, market, size: "0.1", collateral: "500" },
      maker,
    );
    expect(moved.size).toBe("0.1");
    expect([await size(alice), await size(maker)]).toEqual(["0.2", "0.1"]);
    // Whoever asks for it: the order of the signatures is the message's.
    await maker.transferPosition({ from, to, market, size: "0.1" }, alice);
    expect([await size(alice), await size(maker)]).toEqual(["0.1", "0.2"]);
    await expect(
      alice.transferPosition({ from, to, market, size: "9" }, maker),
    ).rejects.toMatchObject({ codeName: "NO_SUCH_POSITION" });
    await alice.transferSubaccount({ from, to: { owner: alice.address, subaccount: 5 } });
    expect([await size(alice), await size(alice, 5)]).toEqual(["0", "0.1"]);
  });
});

describe("a revoked key", () => {
  it("trades no more", async () => {
    await bob.revokeTradingKey(hot.address);
    await expect(hand.cancelAll({ owner: bob.address })).rejects.toMatchObject({
      codeName: "NOT_GRANTED",
    });
    expect(await chain.tradingKeys(bob.address)).toEqual([]);
  });
});
