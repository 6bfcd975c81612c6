/** Orders that wait: stops, take-profits, trails, brackets, pairs, slices, the dead man; and combinations. */
import { awaitEnd } from "@keel/client/order-end";
import { fate } from "./order-steps.ts";
import type { Steps } from "./steps.ts";
import { FUTURE, PERPETUAL, START_PRICE, type TourNetwork } from "./tour-network.ts";

const market = PERPETUAL;
const FALL = START_PRICE - 120;
const RISE = START_PRICE + 150;
/** Alice's sub-accounts, one for each thing, so that positions tell them apart. */
const SUB = { stop: 1, profit: 2, trail: 3, bracket: 4, pair: 5, twap: 6, dead: 7, combo: 8 };

export async function waitingSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  await triggerSteps(tour, steps);
  await linkedSteps(tour, steps);
  await timedSteps(tour, steps);
  await comboSteps(tour, steps);
}

async function sizeOf({ alice }: TourNetwork, subaccount: number): Promise<string> {
  return (await alice.positions(subaccount)).find((one) => one.market === market)?.size ?? "0";
}

async function triggerSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  const { alice, bob, moveTo, until } = tour;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("waiting", what, expected, work);
  const low = `${START_PRICE - 100}`;
  const sell = { market, side: "sell", size: "0.1" } as const;
  const buy = { market, side: "buy", size: "0.1" } as const;
  const stop = { kind: "stop", price: low } as const;
  const profit = { kind: "take-profit", price: low } as const;
  const stopped = { ...sell, trigger: stop, subaccount: SUB.stop };
  const stopPlaced = await alice.place(stopped);
  await step("stop, market", "waiting, filled 0, left 0.1", async () => fate(stopPlaced));
  await step("stop, limit", "waiting, filled 0, left 0.1", async () =>
    fate(await alice.place({ ...sell, price: "60100", trigger: stop, subaccount: SUB.stop })),
  );
  await step("take-profit, market", "waiting, filled 0, left 0.1", async () =>
    fate(await alice.place({ ...buy, trigger: profit, subaccount: SUB.profit })),
  );
  await step("take-profit, limit", "waiting, filled 0, left 0.1", async () =>
    fate(await alice.place({ ...buy, price: "59800", trigger: profit, subaccount: SUB.profit })),
  );
  await step("trailing stop behind by a share", "waiting, filled 0, left 0.1", async () => {
    const trigger = { kind: "trailing-stop", distancePpm: 1000 } as const;
    return fate(await alice.place({ ...sell, trigger, subaccount: SUB.trail }));
  });
  await step("trailing stop behind by a distance", "waiting, filled 0, left 0.1", async () => {
    const trigger = { kind: "trailing-stop", distance: "50" } as const;
    return fate(await alice.place({ ...sell, trigger, subaccount: SUB.trail }));
  });
  await bob.batch({
    orders: [
      { market, side: "buy", price: `${FALL - 30}`, size: "2" },
      { market, side: "sell", price: `${FALL + 70}`, size: "2" },
    ],
  });
  await moveTo(FALL);
  const positions = async (): Promise<string> =>
    (await Promise.all([SUB.stop, SUB.profit, SUB.trail].map((sub) => sizeOf(tour, sub)))).join(
      " ",
    );
  await step(`the mark falls to ${FALL}: all fire`, "-0.1 0.1 -0.2", async () => {
    await until("firing", async () => (await positions()) === "-0.1 0.1 -0.2").catch(
      () => undefined,
    );
    return await positions();
  });
  await step("the stop to its end", `filled 0.1 at ${FALL - 30}`, async () => {
    const { averagePrice, filledSize, status } = await awaitEnd(alice, stopped, stopPlaced);
    return `${status} ${filledSize} at ${averagePrice}`;
  });
  await step("what was limited rests", "sell at 60100, buy at 59800", async () => {
    const open = [
      ...(await alice.openOrders({ market, subaccount: SUB.stop })),
      ...(await alice.openOrders({ market, subaccount: SUB.profit })),
    ];
    return open.map(({ side, price }) => `${side} at ${price}`).join(", ");
  });
}

async function linkedSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  const { alice, bob, moveTo, until } = tour;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("waiting", what, expected, work);
  const waiting = async (subaccount: number): Promise<number> =>
    (await alice.waitingOrders({ market, subaccount })).length;
  await step(
    "bracket: its two orders wait for the entry",
    "filled, filled 0.2, 2 wait",
    async () => {
      const bracket = {
        takeProfit: { triggerPrice: "60100" },
        stopLoss: { triggerPrice: "59500" },
      };
      const entry = { market, side: "buy", size: "0.2", bracket, subaccount: SUB.bracket } as const;
      const placed = await alice.place(entry);
      return `${fate(placed)}, ${await waiting(SUB.bracket)} wait`;
    },
  );
  await Promise.all([
    bob.cancelAll(),
    alice.cancelAll({ subaccount: SUB.stop }),
    alice.cancelAll({ subaccount: SUB.profit }),
  ]);
  await bob.place({ market, side: "buy", price: "60090", size: "2" });
  await moveTo(RISE);
  await step(`the mark rises to ${RISE}: profit taken, stop gone`, "0 held, 0 wait", async () => {
    const said = async (): Promise<string> =>
      `${await sizeOf(tour, SUB.bracket)} held, ${await waiting(SUB.bracket)} wait`;
    await until("the bracket", async () => (await said()) === "0 held, 0 wait").catch(
      () => undefined,
    );
    return await said();
  });
  await bob.cancelAll();
  await step("one cancels the other: both taken", "open waiting", async () => {
    const legs = [
      { market, side: "sell", price: "60400", size: "0.1" },
      { market, side: "sell", size: "0.1", trigger: { kind: "stop", price: "59500" } },
    ] as const;
    const placed = await alice.placeOco(legs, { subaccount: SUB.pair });
    return placed.legs.map(({ status }) => status).join(" ");
  });
  await step("a fill of one takes the other away", "filled, filled 0.1, 0 wait", async () => {
    const taken = await bob.place({ market, side: "buy", price: "60400", size: "0.1" });
    return `${fate(taken)}, ${await waiting(SUB.pair)} wait`;
  });
}

async function timedSteps(tour: TourNetwork, steps: Steps): Promise<void> {
  const { alice, bob, chain, soon, until } = tour;
  const step = (what: string, expected: string, work: () => Promise<string>) =>
    steps.step("waiting", what, expected, work);
  await bob.place({ market, side: "sell", price: "60200", size: "2" });
  await step("twap: three slices", "waiting, then 0.3 held", async () => {
    const twap = { slices: 3, intervalMs: 15_000 };
    const order = { market, side: "buy", size: "0.3", twap, subaccount: SUB.twap } as const;
    const { status } = await alice.place(order);
    await until("the last slice", async () => (await sizeOf(tour, SUB.twap)) === "0.3");
    return `${status}, then ${await sizeOf(tour, SUB.twap)} held`;
  });
  await step("dead man: all orders go at his time", "open, then gone", async () => {
    const order = {
      market,
      side: "buy",
      price: "59900",
      size: "0.1",
      subaccount: SUB.dead,
    } as const;
    const { status } = await alice.place(order);
    await alice.setDeadMan(await soon(60), { subaccount: SUB.dead });
    const open = async (): Promise<number> =>
      (await alice.openOrders({ market, subaccount: SUB.dead })).length;
    await until("the dead man", async () => (await open()) === 0);
    const left = await chain.deadMan(alice.address, SUB.dead);
    return `${status}, then ${left === undefined ? "gone" : "still set"}`;
  });
  await bob.cancelAll();
}

async function comboSteps({ alice, bob }: TourNetwork, steps: Steps): Promise<void> {
  const legs = [
    { market, side: "buy", size: "0.1" },
    { market: FUTURE, side: "sell", size: "0.1" },
  ] as const;
  await bob.batch({
    orders: [
      { market, side: "sell", price: "60160", size: "1" },
      { market: FUTURE, side: "buy", price: "60140", size: "1" },
    ],
  });
  await steps.step(
    "combination",
    "dearer than its net limit",
    "refused: COMBO_BEYOND_LIMIT",
    async () => {
      const done = await alice.placeCombo({ legs, netLimit: "1", subaccount: SUB.combo });
      return done.netQuote;
    },
  );
  await steps.step("combination", "two legs at once", "filled filled for 2", async () => {
    const done = await alice.placeCombo({ legs, netLimit: "3", subaccount: SUB.combo });
    return `${done.legs.map(({ status }) => status).join(" ")} for ${done.netQuote}`;
  });
  await bob.cancelAll();
}
