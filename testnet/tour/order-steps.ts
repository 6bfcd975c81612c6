/** Orders that meet the book at once or rest in it, and what is done to them there. */
import { findOrder } from "@keel/client/order-lookup";
import type { SelfTradePolicy } from "@keel/client/orders";
import type { PlacedOrder } from "@keel/client/tx-result";
import type { Steps } from "./steps.ts";
import { PERPETUAL, type TourNetwork } from "./tour-network.ts";

/** "open, filled 0, left 1" */
export function fate({ status, filledSize, remainingSize, reason }: PlacedOrder): string {
  const left = remainingSize === "0" ? "" : `, left ${remainingSize}`;
  return `${status}, filled ${filledSize}${left}${reason === "" ? "" : `, ${reason}`}`;
}

const market = PERPETUAL;

export async function orderSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  await takingSteps(tour, steps);
  await restingSteps(tour, steps);
  await handlingSteps(tour, steps);
  await selfTradeSteps(tour, steps);
  await endingSteps(tour, steps);
}

async function takingSteps({ alice, bob }: TourNetwork, steps: Steps): Promise<void> {
  const buy = { market, side: "buy" } as const;
  const sell = { market, side: "sell" } as const;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("order", what, expected, work);
  await step("limit order that rests", "open, filled 0, left 1", async () =>
    fate(await alice.place({ ...sell, price: "60010", size: "1" })),
  );
  await step("limit order that crosses", "filled, filled 0.4", async () =>
    fate(await bob.place({ ...buy, price: "60010", size: "0.4" })),
  );
  await step("market order", "filled, filled 0.1", async () =>
    fate(await bob.place({ ...buy, size: "0.1" })),
  );
  await step("market order stops at its slippage", "cancelled, filled 0.5, immediate", async () => {
    await alice.place({ ...sell, price: "60200", size: "0.1" });
    return fate(await bob.place({ ...buy, size: "0.7", maxSlippagePpm: 1000 }));
  });
  await step(
    "immediate or cancel takes what there is",
    "cancelled, filled 0.1, immediate",
    async () => fate(await bob.place({ ...buy, price: "60200", size: "0.3", timeInForce: "ioc" })),
  );
  await step("fill or kill beyond the book", "refused: NOT_FILLED", async () => {
    await alice.place({ ...sell, price: "60010", size: "0.2" });
    return fate(await bob.place({ ...buy, price: "60010", size: "0.3", timeInForce: "fok" }));
  });
  await step("fill or kill within it", "filled, filled 0.2", async () =>
    fate(await bob.place({ ...buy, price: "60010", size: "0.2", timeInForce: "fok" })),
  );
}

async function restingSteps({ alice, bob, chain }: TourNetwork, steps: Steps): Promise<void> {
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("order", what, expected, work);
  await step("post-only rests", "open, filled 0, left 0.2", async () =>
    fate(await alice.place({ market, side: "sell", price: "60020", size: "0.2", postOnly: true })),
  );
  await step("post-only that would cross", "refused: POST_ONLY_WOULD_CROSS", async () =>
    fate(await bob.place({ market, side: "buy", price: "60020", size: "0.2", postOnly: true })),
  );
  await step("reduce-only without a position", "refused: REDUCE_ONLY_WOULD_INCREASE", async () => {
    const order = { market, side: "sell", price: "60300", size: "1", reduceOnly: true } as const;
    return fate(await bob.place({ ...order, subaccount: 1 }));
  });
  await step("reduce-only rests, no larger than the position", "open with all of it", async () => {
    const order = { market, side: "sell", price: "60300", size: "5", reduceOnly: true } as const;
    const { status, remainingSize } = await bob.place(order);
    const [position] = await bob.positions();
    return remainingSize === position?.size ? `${status} with all of it` : `left ${remainingSize}`;
  });
  await step(
    "iceberg shows a part, and is taken beyond it",
    "shows 0.2, filled, filled 0.5",
    async () => {
      await Promise.all([alice.cancelAll(), bob.cancelAll()]);
      const order = {
        market,
        side: "sell",
        price: "60010",
        size: "1",
        displaySize: "0.2",
      } as const;
      await alice.place(order);
      const shown = (await chain.orderBook(market)).asks[0]?.size ?? "nothing";
      const taken = await bob.place({ market, side: "buy", price: "60010", size: "0.5" });
      return `shows ${shown}, ${fate(taken)}`;
    },
  );
}

async function handlingSteps({ alice, bob, chain }: TourNetwork, steps: Steps): Promise<void> {
  const bid = { market, side: "buy", price: "59900", size: "0.2" } as const;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("order", what, expected, work);
  await step("client id names an order", "open, filled 0, left 0.2", async () =>
    fate(await bob.place({ ...bid, clientId: "mine" })),
  );
  await step("found by its client id", "open at 59900; another: none", async () => {
    const named = { market, owner: bob.address };
    const found = await findOrder(chain, { ...named, clientId: "mine" });
    const other = await findOrder(chain, { ...named, clientId: "nobody's" });
    return `${found?.state} at ${found?.order.price}; another: ${other?.state ?? "none"}`;
  });
  await step("client id in use", "refused: CLIENT_ID_IN_USE", async () =>
    fate(await bob.place({ ...bid, clientId: "mine" })),
  );
  await step("amended to less: keeps its place", "left 0.1, place kept", async () => {
    const { keptPriority, remainingSize } = await bob.amend({
      market,
      clientId: "mine",
      size: "0.1",
    });
    return `left ${remainingSize}, place ${keptPriority ? "kept" : "lost"}`;
  });
  await step("amended to another price and more", "left 0.3, place lost", async () => {
    const change = { market, clientId: "mine", price: "59910", size: "0.3" };
    const { keptPriority, remainingSize } = await bob.amend(change);
    return `left ${remainingSize}, place ${keptPriority ? "kept" : "lost"}`;
  });
  await step("cancelled by client id", "0.3 cancelled", async () => {
    const { cancelledSize } = await bob.cancel({ market, clientId: "mine" });
    return `${cancelledSize} cancelled`;
  });
  await step(
    "batch: one result each",
    "UNKNOWN_ORDER, open, open, POST_ONLY_WOULD_CROSS",
    async () => {
      const { cancels, orders } = await bob.batch({
        cancels: [{ market, clientId: "gone" }],
        orders: [
          { ...bid, clientId: "one" },
          { ...bid, price: "59890", clientId: "two" },
          { ...bid, price: "60010", postOnly: true },
        ],
      });
      const said = orders.map((one) => (one.ok ? one.status : one.codeName));
      return [...cancels.map((one) => (one.ok ? "cancelled" : one.codeName)), ...said].join(", ");
    },
  );
  await step("batch of amendments", "left 0.1 and 0.05", async () => {
    const { amendments } = await bob.batch({
      amendments: [
        { market, clientId: "one", size: "0.1" },
        { market, clientId: "two", size: "0.05" },
      ],
    });
    return `left ${amendments.map((one) => (one.ok ? one.remainingSize : one.codeName)).join(" and ")}`;
  });
  await step(
    "cancel all",
    "2 cancelled",
    async () => `${(await bob.cancelAll()).cancelled} cancelled`,
  );
  await alice.cancelAll();
}

async function selfTradeSteps({ alice }: TourNetwork, steps: Steps): Promise<void> {
  const modes: readonly (readonly [SelfTradePolicy, string])[] = [
    ["cancel-maker", "open, filled 0, left 0.3; 0 for sale"],
    ["cancel-taker", "refused: SELF_TRADE"],
    ["cancel-both", "cancelled, filled 0, self_trade; 0 for sale"],
    ["decrement", "open, filled 0, left 0.1; 0 for sale"],
  ];
  for (const [selfTradePrevention, expected] of modes) {
    await steps.step("order", `own orders meet: ${selfTradePrevention}`, expected, async () => {
      await alice.place({ market, side: "sell", price: "60010", size: "0.2" });
      const order = { market, side: "buy", price: "60010", size: "0.3" } as const;
      const taken = await alice.place({ ...order, selfTradePrevention });
      const selling = (await alice.openOrders({ market })).filter(({ side }) => side === "sell");
      return `${fate(taken)}; ${selling.length} for sale`;
    });
    await alice.cancelAll();
  }
}

async function endingSteps({ bob, chain, soon, until }: TourNetwork, steps: Steps): Promise<void> {
  const bid = { market, side: "buy", price: "59900", size: "0.1" } as const;
  const gone = async (): Promise<boolean> => (await bob.openOrders({ market })).length === 0;
  await steps.step("order", "good til a time: leaves by itself", "open, then gone", async () => {
    const { status } = await bob.place({ ...bid, goodTilMs: await soon(60) });
    await until("the end of an order", gone);
    return `${status}, then gone`;
  });
  await steps.step("order", "good til a block: leaves by itself", "open, then gone", async () => {
    const { status } = await bob.place({ ...bid, goodTilHeight: (await chain.height()) + 6 });
    await until("the end of an order", gone);
    return `${status}, then gone`;
  });
}
