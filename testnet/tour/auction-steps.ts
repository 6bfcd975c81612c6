/** A market matched by auction, and an opening after a halt. */
import { cancelFinal } from "@keel/client/final-orders";
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
