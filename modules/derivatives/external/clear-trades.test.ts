import { readFileSync } from "node:fs";
import { bytesToHexLower, hexToBytes } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { OrderDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MarketStatus, MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it, test } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { changedKeys } from "../../kit/testing/changes.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { DERIVATIVES_CODES, type DerivativesCode } from "../errors.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import { adr036Bytes, documentHash, documentText } from "./document.ts";
import {
  EXPIRY_MS,
  openAccount,
  sendMessage,
  testDocument,
  testKey,
  testSigned,
  testTrade,
} from "./testing.ts";

const vectors = JSON.parse(
  readFileSync(
    new URL("../../../proto/canonical/order-document-vectors.json", import.meta.url),
    "utf8",
  ),
).vectors as {
  name: string;
  document: string;
  hash: string;
  text: string;
  signer: string;
  adr036: string;
}[];

test.each(vectors)(
  "the document of $name has the published hash, text and wallet bytes",
  (vector) => {
    const document = OrderDocument.decode(hexToBytes(vector.document));
    expect(bytesToHexLower(documentHash(document))).toBe(vector.hash);
    expect(documentText(document)).toBe(vector.text);
    expect(bytesToHexLower(sha256(adr036Bytes(vector.signer, documentText(document))))).toBe(
      vector.adr036,
    );
  },
);

const [alice, bob, carol, matcher] = [1, 2, 3, 9].map((seed) => testKey(seed)) as [
  ReturnType<typeof testKey>,
  ReturnType<typeof testKey>,
  ReturnType<typeof testKey>,
  ReturnType<typeof testKey>,
];

function setUp(market = testMarket()): TestVenue {
  const venue = createTestVenue(market);
  for (const key of [alice, bob, carol]) openAccount(venue, key);
  return venue;
}

const buy = (change: Partial<OrderDocument> = {}) =>
  testSigned(testDocument(alice, "buy 2 @ 60000", change), alice);
const sell = (change: Partial<OrderDocument> = {}) =>
  testSigned(testDocument(bob, "sell 3 @ 59000", change), bob);

const clear = (venue: TestVenue, message: Partial<tx.MsgClearTrades> = {}) =>
  sendMessage(
    venue,
    "MsgClearTrades",
    { sender: matcher.address, documents: [buy(), sell()], trades: [testTrade()], ...message },
    tx.MsgClearTradesResponse,
  );

const lots = (venue: TestVenue, key = alice): bigint =>
  venue.clearing.positionLots(venue.ctx, openAccount(venue, key), 1);

/** Refused with this code, and not a byte of state is another. */
function refused(venue: TestVenue, code: DerivativesCode, work: () => unknown): void {
  const before = venue.ctx.state.fork();
  expect(work).toThrow(
    expect.objectContaining({ codespace: "derivatives", code: DERIVATIVES_CODES[code] }),
  );
  expect(changedKeys(before, venue.ctx.state)).toEqual([]);
  expect(venue.violation()).toBeNull();
}

describe("trades between documents", () => {
  it("clear at the agreed price, with fees of taker and maker, over several messages up to the size", () => {
    const venue = setUp();
    const first = clear(venue);
    expect(
      first.documents.map(({ filledSize, remainingSize }) => [filledSize, remainingSize]),
    ).toEqual([
      ["1", "1"],
      ["1", "2"],
    ]);
    expect(venue.clearing.trades).toMatchObject([
      { kind: "external", priceTicks: 120_000n, lots: 1000n, buyer: { feeQuanta: 30_000_000n } },
    ]);
    expect(venue.clearing.trades[0]!.seller.feeQuanta).toBe(6_000_000n);
    expect(venue.eventTypes()).toContain("external_trade");
    clear(venue, { trades: [testTrade({ size: "0.4", taker: 2 }), testTrade({ size: "0.6" })] });
    expect([lots(venue), lots(venue, bob)]).toEqual([2000n, -2000n]);
    refused(venue, "documentOverfilled", () =>
      clear(venue, { trades: [testTrade({ size: "0.001" })] }),
    );
    expect(venue.violation()).toBeNull();
  });

  it("clear one large document against several small ones, all or none", () => {
    const venue = setUp();
    const small = testSigned(testDocument(carol, "sell 1 @ 59500"), carol);
    const trades = [testTrade(), testTrade({ seller: 2, price: "59800" })];
    clear(venue, { documents: [buy(), sell(), small], trades });
    expect([lots(venue), lots(venue, bob), lots(venue, carol)]).toEqual([2000n, -1000n, -1000n]);
    const poor = testSigned(testDocument(testKey(4), "sell 1 @ 59500", { salt: 1n }), testKey(4));
    const more = testSigned(testDocument(alice, "buy 2 @ 60000", { salt: 6n }), alice);
    expect(() => clear(venue, { documents: [more, sell(), poor], trades })).toThrow(
      expect.objectContaining({ codespace: "margin", code: 6 }),
    );
    expect(lots(venue, bob)).toBe(-1000n);
  });

  it("take wallet signatures and both kinds of key", () => {
    const venue = setUp();
    const byWallet = testSigned(testDocument(alice, "buy 2 @ 60000"), alice, 2);
    clear(venue, { documents: [byWallet, sell()] });
    // The same document under the other scheme is the same document.
    clear(venue);
    refused(venue, "documentOverfilled", () => clear(venue, { documents: [byWallet, sell()] }));
  });

  it("shrink resting reduce-only orders with the position", () => {
    const venue = setUp();
    clear(venue);
    venue.place(openAccount(venue, alice), "sell 1 @ 61000 reduce");
    const back = testSigned(testDocument(alice, "sell 2 @ 59000"), alice);
    const other = testSigned(testDocument(bob, "buy 2 @ 60000"), bob);
    clear(venue, { documents: [other, back], trades: [testTrade({ size: "0.7" })] });
    expect(venue.book()).toBe(" | 61000:0.3");
  });

  it("check reduce-only documents trade by trade", () => {
    const venue = setUp();
    const reduce = testSigned(testDocument(alice, "sell 2 @ 59000", { reduceOnly: true }), alice);
    const other = testSigned(testDocument(bob, "buy 2 @ 60000", { salt: 9n }), bob);
    const closing = { documents: [other, reduce] };
    refused(venue, "reduceOnlyWouldIncrease", () => clear(venue, closing));
    clear(venue);
    refused(venue, "reduceOnlyWouldIncrease", () =>
      clear(venue, { ...closing, trades: [testTrade(), testTrade({ size: "0.001" })] }),
    );
    clear(venue, closing);
    expect(lots(venue)).toBe(0n);
  });

  const wrong: readonly (readonly [DerivativesCode, string, Partial<tx.MsgClearTrades>])[] = [
    ["wrongChain", "of another chain", { documents: [buy({ chainId: "test-2" }), sell()] }],
    [
      "documentExpired",
      "that has expired",
      { documents: [buy({ expiryMs: 1_700_000_000_000n }), sell()] },
    ],
    [
      "documentTooFarAhead",
      "that expires in a year",
      { documents: [buy({ expiryMs: EXPIRY_MS + 31_536_000_000n }), sell()] },
    ],
    [
      "wrongMatcher",
      "for another matcher",
      { documents: [buy({ matcher: carol.address }), sell()] },
    ],
    [
      "invalidSignature",
      "with a changed price",
      { documents: [{ ...buy(), document: testDocument(alice, "buy 2 @ 60001") }, sell()] },
    ],
    [
      "invalidSignature",
      "with a signature of the other scheme",
      { documents: [{ ...buy(), scheme: 2 }, sell()] },
    ],
    [
      "notGranted",
      "signed by somebody else",
      { documents: [testSigned(testDocument(alice, "buy 2 @ 60000"), carol), sell()] },
    ],
    [
      "duplicateDocument",
      "given twice",
      { documents: [buy(), sell(), sell()], trades: [testTrade(), testTrade({ seller: 2 })] },
    ],
    [
      "sidesDoNotMatch",
      "whose sides are swapped",
      { trades: [testTrade({ buyer: 1, seller: 0 })] },
    ],
    [
      "sidesDoNotMatch",
      "that buy from themselves",
      { documents: [buy()], trades: [testTrade({ seller: 0 })] },
    ],
    ["limitExceeded", "below the seller's limit", { trades: [testTrade({ price: "58999.5" })] }],
    ["limitExceeded", "above the buyer's limit", { trades: [testTrade({ price: "60000.5" })] }],
    [
      "feeAboveMaximum",
      "with a fee above the maximum",
      { documents: [buy({ feeMaxPpm: 499 }), sell()] },
    ],
    [
      "priceOutOfBand",
      "far from the mark",
      { documents: [buy({ price: "64000" }), sell()], trades: [testTrade({ price: "63000.5" })] },
    ],
    [
      "selfTrade",
      "of one owner",
      {
        documents: [
          buy(),
          testSigned(testDocument(alice, "sell 2 @ 60000", { subaccount: 1 }), alice),
        ],
      },
    ],
    ["unknownMarket", "of no market", { documents: [buy({ market: "X" }), sell({ market: "X" })] }],
    ["invalidPrice", "off tick", { trades: [testTrade({ price: "59999.7" })] }],
    ["invalidSize", "off lot", { trades: [testTrade({ size: "0.0001" })] }],
    ["notionalTooLarge", "beyond the largest trade", { trades: [testTrade({ size: "2" })] }],
    [
      "invalidRequest",
      "without a trade",
      { documents: [buy(), sell(), testSigned(testDocument(carol, "sell 1 @ 1"), carol)] },
    ],
    ["invalidRequest", "not in the list", { trades: [testTrade({ seller: 2 })] }],
    ["invalidRequest", "without size", { documents: [buy({ size: "0" }), sell()] }],
    ["invalidRequest", "without any trade", { trades: [] }],
    [
      "invalidRequest",
      "with a short signature",
      { documents: [{ ...buy(), signature: new Uint8Array(63) }, sell()] },
    ],
  ];

  it.each(wrong)("refuse, as %s, documents %s", (code, _what, message) => {
    const terms = { ...testMarket().terms!, notionalMax: "100000000000" };
    const venue = setUp(code === "notionalTooLarge" ? testMarket({ terms }) : testMarket());
    refused(venue, code, () => clear(venue, message));
    clear(venue);
  });

  it("need an open market with a fresh price, and respect its cap", () => {
    const terms = { ...testMarket().terms!, openInterestMaxLots: 1500n };
    const venue = setUp(testMarket({ terms }));
    venue.setPrice(60_000, false);
    refused(venue, "stalePrice", () => clear(venue));
    venue.setPrice(60_000);
    const status = (to: MarketStatus) =>
      venue.keeper.updateMarket(venue.ctx, SYMBOL, { status: to, terms: undefined });
    status(MarketStatus.MARKET_STATUS_HALTED);
    refused(venue, "marketNotActive", () => clear(venue));
    status(MarketStatus.MARKET_STATUS_CLOSE_ONLY);
    refused(venue, "closeOnly", () => clear(venue));
    status(MarketStatus.MARKET_STATUS_ACTIVE);
    clear(venue);
    refused(venue, "openInterestCap", () => clear(venue));
  });
});

describe("cancelled documents", () => {
  const cancel = (venue: TestVenue, message: Partial<tx.MsgCancelDocuments>) =>
    sendMessage(
      venue,
      "MsgCancelDocuments",
      { sender: alice.address, subaccount: 0, documents: [], saltBelow: 0n, ...message },
      tx.MsgCancelDocumentsResponse,
    );

  it("are void one by one and below a salt, also when partly filled, and forgotten after their expiry", () => {
    const venue = setUp();
    clear(venue);
    const document = testDocument(alice, "buy 2 @ 60000");
    cancel(venue, { documents: [document] });
    refused(venue, "documentCancelled", () => clear(venue));
    cancel(venue, { documents: [document], saltBelow: 8n });
    refused(venue, "documentCancelled", () =>
      clear(venue, { documents: [buy({ salt: 7n }), sell()] }),
    );
    clear(venue, { documents: [buy({ salt: 8n }), sell()] });
    cancel(venue, { saltBelow: 3n });
    refused(venue, "documentCancelled", () =>
      clear(venue, { documents: [buy({ salt: 7n }), sell()] }),
    );
    const { documents, expiries } = venue.venue.state.external;
    expect(documents.size(venue.ctx)).toBe(3);
    venue.ctx.nextBlock(601);
    venue.keeper.beginBlock(venue.ctx);
    expect([documents.size(venue.ctx), expiries.size(venue.ctx)]).toEqual([0, 0]);
    venue.setPrice(60_000);
    refused(venue, "documentExpired", () => clear(venue));
    refused(venue, "documentExpired", () => cancel(venue, { documents: [document] }));
  });

  it("are the sender's own, of the named sub-account", () => {
    const venue = setUp();
    const theirs = testDocument(bob, "sell 3 @ 59000");
    refused(venue, "invalidRequest", () => cancel(venue, { documents: [theirs] }));
    refused(venue, "invalidRequest", () =>
      cancel(venue, { subaccount: 1, documents: [testDocument(alice, "buy 2 @ 60000")] }),
    );
    refused(venue, "notGranted", () => cancel(venue, { owner: bob.address, documents: [theirs] }));
    refused(venue, "unknownAccount", () => cancel(venue, { subaccount: 4, saltBelow: 1n }));
    refused(venue, "invalidRequest", () => cancel(venue, {}));
    clear(venue);
  });

  it("are forgotten at most so many a block, the oldest first", () => {
    const venue = setUp();
    const params = venue.venue.state.params.require(venue.ctx);
    venue.venue.state.params.set(venue.ctx, { ...params, expiriesPerBlockMax: 2 });
    for (const salt of [10n, 11n, 12n])
      cancel(venue, {
        documents: [testDocument(alice, "buy 2 @ 60000", { salt, expiryMs: EXPIRY_MS - salt })],
      });
    venue.ctx.nextBlock(601);
    const { documents } = venue.venue.state.external;
    venue.keeper.beginBlock(venue.ctx);
    expect(documents.size(venue.ctx)).toBe(1);
    expect(venue.violation()).toBeNull();
    venue.keeper.beginBlock(venue.ctx);
    expect(documents.size(venue.ctx)).toBe(0);
  });
});

describe("a market that collects for its opening", () => {
  it("takes no trades agreed elsewhere and no transfers before its auction", () => {
    const continuous = {
      ...defaultAuctionTerms(),
      matching: MatchingMode.MATCHING_MODE_CONTINUOUS,
    };
    const terms = { ...defaultTerms(), auction: { ...continuous, openingMs: 3000n } };
    const venue = setUp(testMarket({ terms }));
    const transfer = () =>
      sendMessage(
        venue,
        "MsgTransferPosition",
        {
          fromOwner: alice.address,
          fromSubaccount: 0,
          toOwner: alice.address,
          toSubaccount: 1,
          market: SYMBOL,
          size: "0.5",
          collateral: "",
        },
        tx.MsgTransferPositionResponse,
      );
    openAccount(venue, alice, 1);
    venue.keeper.beginBlock(venue.ctx);
    clear(venue);
    for (const status of [
      MarketStatus.MARKET_STATUS_HALTED,
      MarketStatus.MARKET_STATUS_ACTIVE,
    ] as const)
      venue.keeper.updateMarket(venue.ctx, SYMBOL, { status, terms: undefined });
    for (let passed = 0; passed < 3; passed++) {
      refused(venue, "opening", () => clear(venue));
      refused(venue, "opening", transfer);
      venue.block(60_000);
    }
    venue.block(60_000);
    clear(venue);
    transfer();
    expect(lots(venue)).toBe(1500n);
  });

  it("lets whole sub-accounts move: nothing trades, and their positions stay as they are", () => {
    const terms = { ...defaultTerms(), auction: defaultAuctionTerms() };
    const venue = setUp();
    clear(venue);
    const before = lots(venue);
    venue.keeper.updateMarket(venue.ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_HALTED,
      terms,
    });
    venue.keeper.updateMarket(venue.ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_ACTIVE,
      terms: undefined,
    });
    refused(venue, "opening", () => clear(venue));
    const ends = { fromOwner: alice.address, fromSubaccount: 0, toOwner: alice.address };
    const move = { ...ends, toSubaccount: 7 };
    sendMessage(venue, "MsgTransferSubaccount", move, tx.MsgTransferSubaccountResponse);
    expect(before).not.toBe(0n);
    expect(venue.clearing.positionLots(venue.ctx, accountId(alice.bytes, 7), 1)).toBe(before);
  });
});
