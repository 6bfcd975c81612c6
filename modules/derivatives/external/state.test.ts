/** Genesis and invariants of documents, salts and grants. */
import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import * as query from "@keel/proto/gen/keel/derivatives/v1/query";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { removeMarket } from "../listing/life-cycle.ts";
import { createTestVenue, type TestVenue, testMarket } from "../testing.ts";
import { documentHash } from "./document.ts";
import {
  EXPIRY_MS,
  openAccount,
  sendMessage,
  testDocument,
  testKey,
  testSigned,
  testTrade,
} from "./testing.ts";

const [alice, bob] = [testKey(1), testKey(2)];

function populated(): TestVenue {
  const venue = createTestVenue();
  for (const key of [alice, bob]) openAccount(venue, key);
  sendMessage(
    venue,
    "MsgGrantTradingKey",
    {
      sender: alice.address,
      key: { type: 2, key: testKey(3, "ed25519").key },
      subaccounts: [0, 4],
      markets: ["BTC-USD-PERP"],
      notionalPerDay: "60000000000",
      expiryMs: EXPIRY_MS,
    },
    tx.MsgGrantTradingKeyResponse,
  );
  const documents = [
    testSigned(testDocument(alice, "buy 2 @ 60000"), testKey(3, "ed25519")),
    testSigned(testDocument(bob, "sell 2 @ 60000"), bob),
  ];
  const message = { sender: bob.address, documents, trades: [testTrade()] };
  sendMessage(venue, "MsgClearTrades", message, tx.MsgClearTradesResponse);
  sendMessage(
    venue,
    "MsgCancelDocuments",
    {
      sender: bob.address,
      subaccount: 0,
      documents: [testDocument(bob, "sell 1 @ 60000")],
      saltBelow: 4n,
    },
    tx.MsgCancelDocumentsResponse,
  );
  return venue;
}

const exported = (venue: TestVenue): Uint8Array => {
  const { genesis } = venue.module;
  if (genesis.kind !== "proto") throw new Error("expected proto genesis");
  return genesis.export(venue.ctx);
};

function load(bytes: Uint8Array): TestVenue {
  const venue = createTestVenue();
  const { state } = venue.venue;
  state.symbols.delete(venue.ctx, "BTC-USD-PERP");
  if (venue.module.genesis.kind === "proto") venue.module.genesis.init(venue.ctx, bytes);
  return venue;
}

describe("genesis", () => {
  it("carries documents, salts, grants and what was spent", () => {
    const first = exported(populated());
    const state = GenesisState.decode(first);
    expect([state.documents.length, state.saltFloors.length, state.tradingGrants.length]).toEqual([
      3, 1, 1,
    ]);
    expect(state.tradingGrants[0]?.spent?.notional).toBe("60000000000");
    const again = load(first);
    expect(again.violation()).toBeNull();
    expect(exported(again)).toEqual(first);
    expect(again.keyAccounts).toHaveLength(1);
  });

  it.each<[string, (state: GenesisState) => void]>([
    ["filled to", (state) => void (state.documents[0]!.record!.filledLots = 9_000_000n)],
    ["without hash", (state) => void (state.documents[0]!.document = new Uint8Array(31))],
    ["unknown market", (state) => void (state.documents[0]!.record!.market = 7)],
    ["unknown market", (state) => void (state.tradingGrants[0]!.grant!.markets = [7])],
    ["sub-accounts", (state) => void (state.tradingGrants[0]!.grant!.subaccounts = [])],
  ])("refuses what is %s", (what, change) => {
    const state = GenesisState.decode(exported(populated()));
    change(state);
    expect(() => load(GenesisState.encode(state).finish())).toThrow(what);
  });
});

describe("documents and grants that outlive their market", () => {
  it("stay, break nothing, and survive an export", () => {
    const venue = populated();
    const { markets, settlements } = venue.venue.state;
    removeMarket(venue.ctx, venue.venue, markets.get(venue.ctx, 1)!);
    expect(settlements.size(venue.ctx)).toBe(0);
    for (const name of ["documents-within-size", "grants-well-formed"])
      expect(venue.module.invariants.full[name]!(venue.ctx), name).toBeNull();
    const first = exported(venue);
    const copy = createTestVenue();
    removeMarket(copy.ctx, copy.venue, copy.venue.state.markets.get(copy.ctx, 1)!);
    if (copy.module.genesis.kind === "proto") copy.module.genesis.init(copy.ctx, first);
    expect(exported(copy)).toEqual(first);
    const document = documentHash(testDocument(alice, "buy 2 @ 60000"));
    const ask = (name: string, request: Uint8Array): Uint8Array =>
      copy.module.queries.find(({ path }) => path.endsWith(`/${name}`))!.handle(copy.ctx, request);
    const known = query.QueryDocumentRequest.encode({ document }).finish();
    expect(query.QueryDocumentResponse.decode(ask("Document", known)).known).toBe(false);
    const of = query.QueryTradingKeysRequest.encode({ owner: alice.address }).finish();
    expect(query.QueryTradingKeysResponse.decode(ask("TradingKeys", of)).grants).toMatchObject([
      { markets: [""] },
    ]);
  });
});

describe("a document that was traded in a market that is gone", () => {
  it("is void in another that is listed under its symbol, and cancels there as it was", () => {
    for (const lotSize of ["0.0001", "1"]) {
      const venue = populated();
      removeMarket(venue.ctx, venue.venue, venue.venue.state.markets.get(venue.ctx, 1)!);
      venue.keeper.createMarket(venue.ctx, testMarket({ lotSize }));
      const documents = [
        testSigned(testDocument(alice, "buy 2 @ 60000"), alice),
        testSigned(testDocument(bob, "sell 2 @ 60000", { salt: 6n }), bob),
      ];
      const message = { sender: bob.address, documents, trades: [testTrade()] };
      expect(() =>
        sendMessage(venue, "MsgClearTrades", message, tx.MsgClearTradesResponse),
      ).toThrow("an earlier market");
      const document = testDocument(alice, "buy 2 @ 60000");
      const named = { sender: alice.address, subaccount: 0, documents: [document], saltBelow: 0n };
      sendMessage(venue, "MsgCancelDocuments", named, tx.MsgCancelDocumentsResponse);
      const record = venue.venue.state.external.documents.get(venue.ctx, documentHash(document));
      expect(record).toMatchObject({ market: 1, sizeLots: 2000n, cancelled: true });
      expect(record?.filledLots).toBe(1000n);
      expect(venue.module.invariants.full["documents-within-size"]!(venue.ctx)).toBeNull();
    }
  });
});

describe("queries", () => {
  it("say what is left of a document and below which salt documents are void", () => {
    const venue = populated();
    const ask = (name: string, request: Uint8Array): Uint8Array =>
      venue.module.queries
        .find(({ path }) => path.endsWith(`/${name}`))!
        .handle(venue.ctx, request);
    const document = documentHash(testDocument(alice, "buy 2 @ 60000"));
    const found = query.QueryDocumentResponse.decode(
      ask("Document", query.QueryDocumentRequest.encode({ document }).finish()),
    );
    expect(found).toMatchObject({ known: true, size: "2", filledSize: "1", cancelled: false });
    const unknown = query.QueryDocumentRequest.encode({ document: new Uint8Array(32) }).finish();
    expect(query.QueryDocumentResponse.decode(ask("Document", unknown)).known).toBe(false);
    const short = query.QueryDocumentRequest.encode({ document: new Uint8Array(2) }).finish();
    expect(() => ask("Document", short)).toThrow("32 bytes");
    const floor = query.QuerySaltFloorRequest.encode({
      owner: bob.address,
      subaccount: 0,
    }).finish();
    expect(query.QuerySaltFloorResponse.decode(ask("SaltFloor", floor)).saltBelow).toBe(4n);
  });
});

describe("invariants", () => {
  const check = (venue: TestVenue, name: string): string | null =>
    venue.module.invariants.full[name]!(venue.ctx);

  it("notice a document filled beyond its size, and one that would never be forgotten", () => {
    const venue = populated();
    const { documents, expiries } = venue.venue.state.external;
    const hash = documentHash(testDocument(alice, "buy 2 @ 60000"));
    const record = documents.get(venue.ctx, hash)!;
    documents.set(venue.ctx, hash, { ...record, filledLots: 2001n });
    expect(check(venue, "documents-within-size")).toContain("filled to 2001");
    documents.set(venue.ctx, hash, record);
    expiries.delete(venue.ctx, [Number(EXPIRY_MS), hash]);
    expect(check(venue, "document-expiries-match")).toContain("3 documents are stored, 2 expire");
    expiries.set(venue.ctx, [5, hash], true);
    expect(check(venue, "document-expiries-match")).toContain("expires at 5");
  });

  it("notice a grant under another key, one that would never end, and spending without a grant", () => {
    const venue = populated();
    const { grants, expiries, spent } = venue.venue.state.keys;
    const at = [alice.bytes, testKey(3, "ed25519").bytes] as const;
    const grant = grants.get(venue.ctx, at)!;
    grants.set(venue.ctx, [alice.bytes, bob.bytes], grant);
    expect(check(venue, "grants-well-formed")).toContain("another key");
    expect(check(venue, "grant-expiries-match")).toContain("2 grants are stored, 1 expire");
    grants.delete(venue.ctx, [alice.bytes, bob.bytes]);
    expect(check(venue, "grants-well-formed")).toBeNull();
    spent.set(venue.ctx, [bob.bytes, bob.bytes], { day: 1, notional: "1" });
    expect(check(venue, "grant-expiries-match")).toContain("a grant that is gone");
    expiries.set(venue.ctx, [5, ...at], true);
    expect(check(venue, "grant-expiries-match")).toContain("expires at 5");
  });

  it("notice more grants than an owner may give", () => {
    const venue = populated();
    const { grants } = venue.venue.state.keys;
    const grant = grants.get(venue.ctx, [alice.bytes, testKey(3, "ed25519").bytes])!;
    for (let i = 0; i < 33; i++) {
      const key = testKey(50 + i);
      grants.set(venue.ctx, [bob.bytes, key.bytes], { ...grant, key: { type: 1, key: key.key } });
    }
    expect(check(venue, "grants-well-formed")).toContain("more than 32 grants");
  });
});
