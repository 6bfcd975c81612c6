/** Options and a future, bought, held to their end and paid without anybody's doing. */
import { fate } from "./order-steps.ts";
import type { Steps } from "./steps.ts";
import { CALL, FUTURE, PUT, STRIKE, type TourNetwork } from "./tour-network.ts";

/** Sub-accounts of both that hold nothing else. */
const HELD = 20;
const SIZE = "0.1";
const UNIT = 1_000_000n;
const DEPOSIT_UNITS = 10_000n;
/** Settlement prices are told in 1e-18. */
const PRICE_PLACES = 18;
const PRICE_ONE = 10n ** BigInt(PRICE_PLACES);
/** Of the markets here: a lot is a thousandth. */
const LOTS_PER_UNIT = 1000n;
const LOTS = 100n;

const prices = { [CALL]: "1100", [PUT]: "5", [FUTURE]: "60000" } as const;
type Held = keyof typeof prices;

export interface Purchase {
  /** Fees, and premiums of the options; quanta. */
  readonly spent: bigint;
  /** Whole units. */
  readonly futurePrice: bigint;
}

/** Bob writes, Alice buys. */
export async function optionPurchases(
  { alice, bob }: TourNetwork,
  steps: Steps,
): Promise<Purchase> {
  let spent = 0n;
  await Promise.all([
    alice.deposit(`${DEPOSIT_UNITS}`, { subaccount: HELD }),
    bob.deposit("100000", { subaccount: HELD }),
  ]);
  for (const market of [CALL, PUT, FUTURE] as const satisfies readonly Held[]) {
    const price = prices[market];
    await steps.step("expiry", `${market} bought at ${price}`, "filled, filled 0.1", async () => {
      const order = { market, price, size: SIZE, subaccount: HELD } as const;
      await bob.place({ ...order, side: "sell", postOnly: true });
      const bought = await alice.place({ ...order, side: "buy", timeInForce: "ioc" });
      const fee = quanta(bought.fee);
      spent += fee + (market === FUTURE ? 0n : quanta(bought.filledQuote));
      return fate(bought);
    });
  }
  return { spent, futurePrice: BigInt(prices[FUTURE]) };
}

/** Waits for the end, and checks what was paid to the unit. */
export async function expirySteps(
  tour: TourNetwork,
  steps: Steps,
  { spent, futurePrice }: Purchase,
): Promise<void> {
  const { alice, chain, expiryMs, scale, soon, until } = tour;
  const leftMs = (expiryMs - Number(await soon(0))) / scale;
  const timeoutMs = Math.max(0, leftMs) + 20_000;
  const markets = [CALL, PUT, FUTURE];
  await steps.step(
    "expiry",
    "all three settle by themselves",
    "settled settled settled",
    async () => {
      const states = async (): Promise<string> =>
        (await Promise.all(markets.map((one) => chain.market(one))))
          .map(({ status }) => status)
          .join(" ");
      const done = async (): Promise<boolean> => (await states()) === "settled settled settled";
      await until("settlement", done, timeoutMs);
      return await states();
    },
  );
  const { settlementPrice = "" } = await chain.market(CALL);
  const settled = decimal(settlementPrice, PRICE_PLACES);
  const strike = BigInt(STRIKE) * PRICE_ONE;
  const call = settled > strike ? settled - strike : 0n;
  const put = settled < strike ? strike - settled : 0n;
  const bought = (futurePrice * UNIT * LOTS) / LOTS_PER_UNIT;
  const paid = LOTS * (perLot(call) + perLot(put) + perLot(settled)) - bought;
  const expected = DEPOSIT_UNITS * UNIT - spent + paid;
  await steps.step("expiry", `paid at ${settlementPrice}, to the unit`, `${expected}`, async () => {
    const { collateral, positions } = await alice.account(HELD);
    return positions.length === 0 ? `${collateral}` : `${positions.length} positions left`;
  });
  await steps.step("expiry", "an order after the end", "refused: MARKET_EXPIRED", async () =>
    fate(
      await alice.place({ market: CALL, side: "buy", price: "1", size: SIZE, subaccount: HELD }),
    ),
  );
}

/** Quanta of one lot worth a price in 1e-18, half to even: as the chain settles. */
function perLot(price: bigint): bigint {
  const divisor = (PRICE_ONE * LOTS_PER_UNIT) / UNIT;
  const down = price / divisor;
  const twice = 2n * (price - down * divisor);
  return twice > divisor || (twice === divisor && down % 2n === 1n) ? down + 1n : down;
}

const quanta = (text: string): bigint => decimal(text, 6);

function decimal(text: string, places: number): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(places, "0").slice(0, places));
}
