import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ModuleError } from "../../kit/errors.ts";
import {
  openAccount,
  sendMessage,
  testDocument,
  testKey,
  testSigned,
  testTrade,
} from "../external/testing.ts";
import { notionalOf } from "../instruments.ts";
import { createRandom } from "../random.ts";
import { createTestVenue, SYMBOL, type TestVenue } from "../testing.ts";
import { requireInstrument } from "../venue.ts";
import { spentToday } from "./grants.ts";

const hot = testKey(7);
const owner = testKey(1);
const other = testKey(2);
const trader = { sender: hot.address, owner: owner.address, subaccount: 0 };
const GRANTED = 2_000_000_000n;

type Draw = (bound: number) => number;

function ordinary(random: Draw, mark: number): string {
  const side = random(2) === 0 ? "buy" : "sell";
  const size = `0.00${1 + random(9)}`;
  const price = random(5) === 0 ? 0.5 : mark - 3000 + random(121) * 50;
  const limit = random(3) === 0 ? "market" : `@ ${price}`;
  const near = mark - 1500 + random(61) * 50;
  const kinds = ["", "", "", " ioc", " fok", " post", " decrement"];
  const waits = [` stop=${near}`, ` profit=${near}`, ` trail=${50 + random(20) * 50}`];
  const twap = ` ioc twap=${2 + random(3)}/1000`;
  const kind = [...kinds, ...waits, ...waits, twap, ` profit=${side === "sell" ? 0.5 : 1e6}`];
  const name = random(2) === 0 ? ` id=n${random(5)}` : "";
  return `${side} ${size} ${limit}${kind[random(kind.length)]}${name}`;
}

function amendment(random: Draw, mark: number): object {
  const price = random(2) === 0 ? "" : `${mark - 2000 + random(81) * 50}`;
  const size = random(2) === 0 ? "" : `0.0${10 + random(20)}`;
  const triggerPrice = random(3) === 0 ? `${mark - 1500 + random(61) * 50}` : "";
  const named = { market: SYMBOL, orderId: 0n, clientId: `n${random(5)}`, selfTradePrevention: 0 };
  return { ...named, price, size, triggerPrice };
}

function byKey(venue: TestVenue, random: Draw, mark: number): void {
  const dice = random(10);
  const order = () => venue.order(ordinary(random, mark));
  if (dice < 5) {
    const message = { ...trader, ...order() };
    sendMessage(venue, "MsgPlaceOrder", message, tx.MsgPlaceOrderResponse);
  } else if (dice < 7) {
    const message = { ...trader, ...amendment(random, mark) };
    sendMessage(venue, "MsgAmendOrder", message, tx.MsgAmendOrderResponse);
  } else if (dice < 8) {
    const legs = [order(), order()];
    const message = { ...trader, legs: legs.map((leg) => ({ ...leg, size: legs[0]!.size })) };
    sendMessage(venue, "MsgPlaceOco", message, tx.MsgPlaceOcoResponse);
  } else if (dice < 9) {
    const amendments = [amendment(random, mark)];
    const message = { ...trader, cancels: [], amendments, orders: [order(), order()] };
    sendMessage(venue, "MsgBatchOrders", message, tx.MsgBatchOrdersResponse);
  } else {
    const price = `${mark - 2000 + random(81) * 50}`;
    const salt = BigInt(random(1000));
    const size = `0.00${1 + random(9)}`;
    const sold = testSigned(testDocument(owner, `sell 1 @ ${price}`, { salt }), hot);
    const bought = testSigned(testDocument(other, `buy 1 @ ${price}`, { salt }), other);
    const trades = [testTrade({ price, size, buyer: 1, seller: 0 })];
    const message = { sender: other.address, documents: [sold, bought], trades };
    sendMessage(venue, "MsgClearTrades", message, tx.MsgClearTradesResponse);
  }
}

/** Quanta traded by the owner, who does nothing itself. */
function executed(venue: TestVenue): bigint {
  const account = openAccount(venue, owner);
  const instrument = requireInstrument(venue.ctx, venue.venue, SYMBOL);
  return venue.clearing.trades
    .filter(({ buyer, seller }) => buyer.account === account || seller.account === account)
    .reduce((sum, { priceTicks, lots }) => {
      return sum + notionalOf(instrument, Number(priceTicks), Number(lots));
    }, 0n);
}

function day(seed: number): { readonly traded: bigint; readonly spent: bigint } {
  const venue = createTestVenue();
  const random = createRandom(seed);
  const draw: Draw = (bound) => random.below(bound);
  const [, stranger] = [openAccount(venue, owner), openAccount(venue, other)];
  const grant = {
    sender: owner.address,
    key: { type: 1, key: hot.key },
    subaccounts: [0],
    markets: [],
    notionalPerDay: GRANTED.toString(),
    expiryMs: 1_700_086_400_000n,
  };
  sendMessage(venue, "MsgGrantTradingKey", grant, tx.MsgGrantTradingKeyResponse);
  let mark = 60_000;
  for (let i = 0; i < 150; i++) {
    const dice = draw(10);
    try {
      if (dice < 4) byKey(venue, draw, mark);
      else if (dice < 8) venue.place(stranger, `${ordinary(draw, mark).replace("0.00", "0.0")}`);
      else {
        mark += draw(81) * 50 - 2000 + (draw(12) === 0 ? 6000 : 0);
        venue.block(mark);
      }
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
    }
    expect(executed(venue)).toBeLessThanOrEqual(spentBy(venue));
  }
  return { traded: executed(venue), spent: spentBy(venue) };
}

const spentBy = ({ ctx, venue }: TestVenue): bigint =>
  spentToday(ctx, venue, [owner.bytes, hot.bytes]);

it("never trades more for its owner in a day than it was granted, whatever orders it sends", () => {
  let traded = 0n;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (seed) => {
      const result = day(seed);
      expect(result.spent).toBeLessThanOrEqual(GRANTED);
      traded += result.traded;
    }),
    { numRuns: 40 },
  );
  expect(traded).toBeGreaterThan(5n * GRANTED);
});
