import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { expect, it } from "vitest";
import { DERIVATIVES_CODES } from "../errors.ts";
import { createTestVenue } from "../testing.ts";
import {
  openAccount,
  sendMessage,
  testDocument,
  testKey,
  testSigned,
  testTrade,
} from "./testing.ts";

it("refuses trades of an owner with itself, and another way of writing its address", () => {
  const venue = createTestVenue();
  const [alice, matcher] = [testKey(1), testKey(9)];
  for (const subaccount of [0, 1]) openAccount(venue, alice, subaccount);
  const buys = testSigned(testDocument(alice, "buy 2 @ 60000"), alice);
  const cases = [
    ["selfTrade", alice.address, 1],
    // Bech32 in capitals is the same address.
    ["invalidRequest", alice.address.toUpperCase(), 0],
    ["invalidRequest", alice.address.toUpperCase(), 1],
  ] as const;
  for (const [code, owner, subaccount] of cases) {
    const sells = testDocument(alice, "sell 2 @ 60000", { owner, subaccount });
    const documents = [buys, testSigned(sells, alice)];
    const message = { sender: matcher.address, documents, trades: [testTrade()] };
    expect(() => sendMessage(venue, "MsgClearTrades", message, tx.MsgClearTradesResponse)).toThrow(
      expect.objectContaining({ code: DERIVATIVES_CODES[code] }),
    );
  }
});
