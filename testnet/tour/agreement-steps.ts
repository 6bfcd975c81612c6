/** Trades agreed elsewhere, positions that change hands, and a session of a trading key. */
import { KeelSigningClient } from "@keel/client/signing-client";
import { TradingKey } from "@keel/client/trading-key";
import { fate } from "./order-steps.ts";
import type { Steps } from "./steps.ts";
import { AUCTION, PERPETUAL, type TourNetwork } from "./tour-network.ts";

const market = PERPETUAL;
/** Sub-accounts of both that nothing else uses. */
const MATCHED = 30;
const MOVED = 31;

export async function agreementSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  const keys = [
    await TradingKey.generate("ed25519"),
    await TradingKey.generate("secp256k1"),
  ] as const;
  await sessionSteps(tour, steps, keys);
  await externalSteps(tour, steps, keys);
  await transferSteps(tour, steps);
}

type Keys = readonly [TradingKey, TradingKey];

async function sessionSteps(tour: TourNetwork, steps: Steps, [key, other]: Keys): Promise<void> {
  const { alice, bob, chain, soon } = tour;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("trading key", what, expected, work);
  const expiryMs = await soon(7_200);
  const grant = {
    subaccounts: [0, MATCHED],
    markets: [market, AUCTION],
    notionalPerDay: "100000",
    expiryMs,
  };
  await step("granted for two sub-accounts, two markets, an amount a day", "granted", async () => {
    const { trader } = await alice.grantTradingKey({ key: key.publicKey, ...grant });
    await bob.grantTradingKey({ key: other.publicKey, ...grant });
    return trader === key.address ? "granted" : `granted to ${trader}`;
  });
  const hand = await KeelSigningClient.connectWithSigner(chain, key.signer);
  const owner = alice.address;
  const order = { owner, market, side: "buy", price: "59500", size: "0.1" } as const;
  await step("trades for its owner", "open, filled 0, left 0.1", async () =>
    fate(await hand.place(order)),
  );
  await step("trades for it by auction", "open, left 0.1", async () => {
    const byAuction = { ...order, market: AUCTION, clientId: "hand" };
    const { remainingSize, status } = await hand.placeInAuction(byAuction);
    return `${status}, left ${remainingSize}`;
  });
  await step("cancels, unordered", "2 cancelled", async () => {
    const { cancelled } = await hand.cancelAll({ owner }, { unordered: true });
    return `${cancelled} cancelled`;
  });
  await step("in another sub-account", "refused: NOT_GRANTED", async () =>
    fate(await hand.place({ ...order, subaccount: 1 })),
  );
  await step("beyond its amount", "refused: GRANT_EXHAUSTED", async () =>
    fate(await hand.place({ ...order, size: "2" })),
  );
  await step("withdraws nothing of its owner's", "refused: UNKNOWN_ACCOUNT", async () => {
    const { collateral } = await hand.withdraw("1");
    return `${collateral}`;
  });
}

async function externalSteps(tour: TourNetwork, steps: Steps, [key, other]: Keys): Promise<void> {
  const { alice, bob, soon } = tour;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("elsewhere", what, expected, work);
  const expiryMs = await soon(3_600);
  const terms = { market, expiryMs, subaccount: MATCHED } as const;
  const buy = await alice.document({ ...terms, side: "buy", price: "60200", size: "0.5" });
  const sell = await bob.document({ ...terms, side: "sell", price: "60100", size: "0.2" });
  const buyer = await key.signDocument(buy);
  const seller = await other.signDocument(sell);
  const trade = { buyer, seller, price: "60150", size: "0.2" };
  await step("two signed documents clear", "filled 0.2 of 0.5, 0.2 of 0.2", async () => {
    const { documents } = await bob.clearTrades([trade]);
    const [bought, sold] = documents.map((one) => one.filledSize);
    return `filled ${bought} of 0.5, ${sold} of 0.2`;
  });
  await step("both have their positions", "0.2 -0.2", async () => {
    const held = [...(await alice.positions(MATCHED)), ...(await bob.positions(MATCHED))];
    return held.map(({ size }) => size).join(" ");
  });
  await step("again: nothing is left of one", "refused: DOCUMENT_OVERFILLED", async () => {
    await bob.clearTrades([trade]);
    return "cleared";
  });
  await step("changed after it was signed", "refused: INVALID_SIGNATURE", async () => {
    const changed = { ...seller, document: { ...sell, size: "0.3" } };
    await bob.clearTrades([{ ...trade, seller: changed }]);
    return "cleared";
  });
  await step("cancelled by its owner", "refused: DOCUMENT_CANCELLED", async () => {
    await alice.cancelDocuments({ subaccount: MATCHED, documents: [buy] });
    const more = await bob.document({ ...terms, side: "sell", price: "60100", size: "0.1" });
    const again = { ...trade, seller: await other.signDocument(more), size: "0.1" };
    await bob.clearTrades([again]);
    return "cleared";
  });
  await steps.step("trading key", "revoked, and void at once", "refused: NOT_GRANTED", async () => {
    await alice.revokeTradingKey(key.address);
    const hand = await KeelSigningClient.connectWithSigner(tour.chain, key.signer);
    const order = {
      owner: alice.address,
      market,
      side: "buy",
      price: "59500",
      size: "0.1",
    } as const;
    return fate(await hand.place(order));
  });
}

async function transferSteps({ alice, bob, chain }: TourNetwork, steps: Steps): Promise<void> {
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("transfer", what, expected, work);
  /** Of all three that take part: as many lots long as short, so neither mark nor funding changes what they have together. */
  const together = async (): Promise<bigint> => {
    const accounts = [alice.account(MATCHED), bob.account(MATCHED), bob.account(MOVED)];
    return (await Promise.all(accounts)).reduce((sum, { equity }) => sum + equity, 0n);
  };
  /** Asked one after another, and funding may be paid between two answers: until nothing has changed meanwhile. */
  const equities = async (): Promise<bigint> => {
    const first = await together();
    const again = await together();
    return first === again ? again : await equities();
  };
  await step(
    "a position, and collateral, to another owner",
    "0.1 at mark, nobody richer",
    async () => {
      const before = await equities();
      const from = { owner: alice.address, subaccount: MATCHED };
      const to = { owner: bob.address, subaccount: MOVED };
      const moved = await alice.transferPosition(
        { from, to, market, size: "0.1", collateral: "50" },
        bob,
      );
      const { markPrice } = await chain.market(market);
      const same = (await equities()) === before && moved.price === markPrice;
      return `${moved.size} at ${same ? "mark, nobody richer" : `${moved.price}, another value`}`;
    },
  );
  await step("a whole sub-account to an unused number", "0.1 held there", async () => {
    const from = { owner: bob.address, subaccount: MOVED };
    const to = { owner: bob.address, subaccount: MOVED + 1 };
    await bob.transferSubaccount({ from, to });
    return `${(await bob.positions(MOVED + 1))[0]?.size ?? "0"} held there`;
  });
}
