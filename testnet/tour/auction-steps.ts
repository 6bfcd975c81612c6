/** A market matched by auction, and an opening after a halt. */
import { cancelFinal, placeFinal, placeOcoFinal } from "@keel/client/final-orders";
import { awaitEnd } from "@keel/client/order-end";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { fate } from "./order-steps.ts";
import type { Steps } from "./steps.ts";
import { AUCTION, PERPETUAL, type TourNetwork } from "./tour-network.ts";

/** Both sides at once; each waits for its fill. */
async function meet({ alice, bob }: TourNetwork, market: string): Promise<string> {
  const untilFilled = { untilFilled: true };
  const sell = { market, side: "sell", price: "60100", size: "0.3", clientId: "a" } as const;
  const buy = { market, side: "buy", price: "60200", size: "0.3", clientId: "b" } as const;
  const fates = await Promise.all([
    alice.placeInAuction(sell, untilFilled),
    bob.placeInAuction(buy, untilFilled),
  ]);
  return fates
    .map(({ status, filledSize, price }) => `${status} ${filledSize} at ${price}`)
    .join(", ");
}

/** An iceberg, a bracket, a pair and a TWAP; whoever takes the other side is bob. */
async function partSteps({ alice, bob, chain }: TourNetwork, steps: Steps): Promise<void> {
  const market = AUCTION;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("auction", what, expected, work);
  const untilFilled = { untilFilled: true };
  await step("an iceberg shows a part, and trades one", "open, filled 0.1, left 0.2", async () => {
    const ice = { market, side: "sell", price: "60100", size: "0.3", displaySize: "0.1" } as const;
    const [sold] = await Promise.all([
      placeFinal(alice, { ...ice, clientId: "ice" }, untilFilled),
      placeFinal(bob, { market, side: "buy", price: "60200", size: "0.1", clientId: "t" }),
    ]);
    await cancelFinal(alice, { market, clientId: "ice" });
    return `${sold.status}, filled ${sold.filledSize}, left ${sold.remainingSize}`;
  });
  await step("a bracket begins with its fill", "filled, take-profit and stop wait", async () => {
    const entry = { market, side: "buy", price: "60200", size: "0.1", clientId: "in" } as const;
    const bracket = {
      takeProfit: { triggerPrice: "70000", clientId: "tp" },
      stopLoss: { triggerPrice: "50000", clientId: "sl" },
    };
    const [bought] = await Promise.all([
      placeFinal(alice, { ...entry, bracket }, untilFilled),
      placeFinal(bob, { market, side: "sell", price: "60100", size: "0.1", clientId: "u" }),
    ]);
    const waiting = await chain.waitingOrders(alice.address, { market });
    const names = waiting.map(({ clientId }) => clientId).sort();
    await cancelFinal(alice, { market, clientId: "tp" });
    return names.join() === "sl,tp" ? `${bought.status}, take-profit and stop wait` : names.join();
  });
  await step("one cancels the other: both, then none", "open waiting, 0 wait", async () => {
    const stop = { market, side: "buy", type: "market", size: "0.1", clientId: "high" } as const;
    const legs = [
      { market, side: "buy", price: "59000", size: "0.1", clientId: "low" },
      { ...stop, trigger: { kind: "stop", price: "70000" } },
    ] as const;
    const placed = await placeOcoFinal(alice, legs);
    await cancelFinal(alice, { market, clientId: "low" });
    const left = await chain.waitingOrders(alice.address, { market });
    return `${placed.legs.map(({ status }) => status).join(" ")}, ${left.length} wait`;
  });
  await step("a TWAP sells slice by slice", "filled 0.3 at 60150 in slices", async () => {
    const bid = { market, side: "buy", price: "60150", size: "0.3", clientId: "x" } as const;
    await placeFinal(bob, bid);
    const whole = { market, side: "sell", price: "60100", size: "0.3", clientId: "w" } as const;
    const placed = await alice.place({ ...whole, twap: { slices: 3, intervalMs: 1000 } });
    const { averagePrice, filledSize, fills, status } = await awaitEnd(alice, whole, placed);
    return `${status} ${filledSize} at ${averagePrice} ${fills > 1 ? "in slices" : "at once"}`;
  });
}

const MET = "filled 0.3 at 60150, filled 0.3 at 60150";

export async function auctionSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  const { alice, chain, setStatus } = tour;
  const order = { market: AUCTION, side: "buy", price: "60000", size: "0.1" } as const;
  await steps.step(
    "auction",
    "an order without a client id",
    "refused: CLIENT_ID_REQUIRED",
    async () => fate(await alice.place(order)),
  );
  await steps.step(
    "auction",
    "post-only has no meaning there",
    "refused: NOT_IN_AUCTION",
    async () => fate(await alice.place({ ...order, clientId: "p", postOnly: true })),
  );
  await steps.step("auction", "two that cross meet at the price nearest to mark", MET, () =>
    meet(tour, AUCTION),
  );
  await steps.step("auction", "a stop waits from its auction on", "waiting, left 0.1", async () => {
    const { remainingSize, status } = await alice.placeInAuction({
      ...{ market: AUCTION, side: "buy", type: "market", size: "0.1", clientId: "stop" },
      trigger: { kind: "stop", price: "70000" },
    });
    return `${status}, left ${remainingSize}`;
  });
  await steps.step(
    "auction",
    "and leaves with its cancel's round",
    "cancelled 0.1, none left",
    async () => {
      const { cancelledSize } = await cancelFinal(alice, { market: AUCTION, clientId: "stop" });
      const left = await chain.waitingOrders(alice.address, { market: AUCTION });
      return `cancelled ${cancelledSize}, ${left.length === 0 ? "none" : left.length} left`;
    },
  );
  await partSteps(tour, steps);
  await setStatus(PERPETUAL, MarketStatus.MARKET_STATUS_HALTED);
  await steps.step(
    "opening",
    "an order in a halted market",
    "refused: MARKET_NOT_ACTIVE",
    async () => fate(await alice.place({ ...order, market: PERPETUAL })),
  );
  await setStatus(PERPETUAL, MarketStatus.MARKET_STATUS_ACTIVE);
  await steps.step(
    "opening",
    "after the halt the market collects, and opens with one auction",
    MET,
    () => meet(tour, PERPETUAL),
  );
}
