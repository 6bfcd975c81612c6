import { instrumentOf } from "@keel/modules/derivatives/instruments";
import { testMarket } from "@keel/modules/derivatives/testing";
import { accountId } from "@keel/modules/kit/account-id";
import { describe, expect, it } from "vitest";
import { type OrderLookup, orderUpdates } from "./order-updates.ts";
import type { PlacedPrint } from "./prints.ts";
import type { OpenOrder } from "./state-tables.ts";

const instrument = instrumentOf(testMarket());
const account = accountId(new Uint8Array(20).fill(1), 0);
const text = "keel1x/0";

const lookup: OrderLookup = {
  market: (id) => (id === instrument.id ? instrument : undefined),
  find: (symbol) => (symbol === instrument.symbol ? instrument : undefined),
  followed: (id) => (id === account ? text : undefined),
  isFollowed: (name) => name === text,
};

function order(over: Partial<OpenOrder>): OpenOrder {
  return {
    ...{ market: instrument.id, account, id: 0, clientId: "a", status: "collected", side: "sell" },
    ...{ ticks: 120_000, lots: 2000, sizeLots: 2000, shownLots: 0, ...over },
  };
}

const print: PlacedPrint = {
  ...{ market: instrument.id, symbol: instrument.symbol, kind: "auction", isTrade: false },
  ...{ price: "60000", size: "2", side: "", height: 5, number: 0, timeMs: 0 },
  parties: [{ account: text, side: "sell", role: "", orderId: "7", fee: "0" }],
};

const told = (before: OpenOrder, prints: readonly PlacedPrint[]) =>
  orderUpdates({ changes: [{ before, after: null }], events: [], prints }, lookup).get(text);

describe("a collected order that is gone", () => {
  it("says nothing under no id, since it goes on under one", () => {
    expect(told(order({}), [])).toBeUndefined();
  });

  it("says that it was filled when it had fired and an auction took all of it", () => {
    expect(told(order({ id: 7 }), [print])).toMatchObject([
      { order_id: "7", client_id: "a", status: "filled", remaining: "0", filled: "2" },
    ]);
  });
});
