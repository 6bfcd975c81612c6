import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import * as query from "@keel/proto/gen/keel/derivatives/v1/query";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { BTC, createWorld, maturity, optionMarket, START_MS, VOL } from "../../testing/world.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { DERIVATIVES_CODES } from "../errors.ts";
import {
  openAccount,
  sendMessage,
  testDocument,
  testKey,
  testSigned,
  testTrade,
} from "../external/testing.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

// Only its way of writing an order in one line.
const { order: testOrder } = createTestVenue();

const UNIT = 1_000_000n;
const DAY_MS = 86_400_000;
const hot = testKey(7);
const owner = testKey(1);
const other = testKey(2);
const trader = { sender: hot.address, owner: owner.address, subaccount: 0 };

type Chain = Pick<TestVenue, "ctx" | "module">;

/** Units a day. */
function grant(chain: Chain, units: bigint, ownerAddress = owner.address): void {
  const message = {
    sender: ownerAddress,
    key: { type: 1, key: hot.key },
    subaccounts: [0],
    markets: [],
    notionalPerDay: `${units * UNIT}`,
    expiryMs: BigInt(START_MS + 2 * DAY_MS),
  };
  sendMessage(chain, "MsgGrantTradingKey", message, tx.MsgGrantTradingKeyResponse);
}

function spent(chain: Chain, ownerAddress = owner.address): bigint {
  const route = chain.module.queries.find(({ path }) => path.endsWith("/TradingKeys"));
  const request = query.QueryTradingKeysRequest.encode({ owner: ownerAddress }).finish();
  const { grants } = query.QueryTradingKeysResponse.decode(route!.handle(chain.ctx, request));
  return BigInt(grants[0]!.spentToday) / UNIT;
}

function setUp(units = 100n, market = testMarket()): TestVenue {
  const venue = createTestVenue(market);
  for (const key of [owner, other]) openAccount(venue, key);
  grant(venue, units);
  return venue;
}

const place = (venue: TestVenue, text: string) =>
  sendMessage(
    venue,
    "MsgPlaceOrder",
    { ...trader, ...venue.order(text) },
    tx.MsgPlaceOrderResponse,
  );

function amend(venue: TestVenue, clientId: string, change: object, by: object = trader) {
  const named = { market: SYMBOL, orderId: 0n, clientId, selfTradePrevention: 0 };
  const same = { price: "", size: "", triggerPrice: "" };
  const message = { ...by, ...named, ...same, ...change };
  return sendMessage(venue, "MsgAmendOrder", message, tx.MsgAmendOrderResponse);
}

const exhausted = (work: () => unknown): void =>
  expect(work).toThrow(
    expect.objectContaining({ codespace: "derivatives", code: DERIVATIVES_CODES.grantExhausted }),
  );

const lots = (venue: TestVenue): bigint =>
  venue.clearing.positionLots(venue.ctx, openAccount(venue, owner), 1);

function genesisOf(venue: TestVenue) {
  const { genesis } = venue.module;
  if (genesis.kind !== "proto") throw new Error("expected proto genesis");
  return genesis;
}

function loaded(bytes: Uint8Array): TestVenue {
  const venue = createTestVenue();
  venue.ctx.state.revert(0);
  genesisOf(venue).init(venue.ctx, bytes);
  return venue;
}

const refusals = (venue: TestVenue): string[] =>
  venue.ctx.events
    .splice(0)
    .filter(({ type }) => type === "order_refused")
    .map(({ attributes }) => attributes.find(({ key }) => key === "code")?.value ?? "");

/** The key of the world's first account places it. */
function placeIn(world: ReturnType<typeof createWorld>, market: string, text: string) {
  const by = { sender: hot.address, owner: world.address(1), subaccount: 0 };
  const message = { ...by, ...testOrder(text), market };
  return sendMessage(world, "MsgPlaceOrder", message, tx.MsgPlaceOrderResponse);
}

describe("what an order of a trading key counts for", () => {
  it("is the underlying of an option, whatever its premium", () => {
    const world = createWorld();
    world.setPrice(BTC, "65000");
    world.setPrice(VOL, "0.6");
    world.list(optionMarket("CALL", maturity(START_MS + 7 * DAY_MS), { strike: "65000" }));
    const accomplice = world.funded(2, 1_000_000n);
    world.funded(1, 1_000_000n);
    grant(world, 1000n, world.address(1));
    const sell = (size: string) => placeIn(world, "CALL", `sell ${size} @ 0.5 ioc`);
    world.place("CALL", accomplice, "buy 60 @ 0.5");
    exhausted(() => sell("60"));
    exhausted(() => sell("0.02"));
    expect(sell("0.01").filledSize).toBe("0.01");
    expect(spent(world, world.address(1))).toBe(650n);
  });

  it("is no less for an option that is held: closing at a tick would give all of it away", () => {
    const world = createWorld();
    world.setPrice(BTC, "65000");
    world.setPrice(VOL, "0.6");
    world.list(optionMarket("CALL", maturity(START_MS + 7 * DAY_MS), { strike: "65000" }));
    const held = world.funded(1, 1_000_000n);
    const accomplice = world.funded(2, 1_000_000n);
    world.place("CALL", accomplice, "sell 60 @ 2000");
    world.place("CALL", held, "buy 60 @ 2000 ioc");
    grant(world, 1000n, world.address(1));
    world.place("CALL", accomplice, "buy 60 @ 0.5");
    const sell = (size: string) => placeIn(world, "CALL", `sell ${size} @ 0.5 ioc reduce`);
    exhausted(() => sell("60"));
    expect(sell("0.01").filledSize).toBe("0.01");
    expect(spent(world, world.address(1))).toBe(650n);
  });

  it("is the premium of an option that is worth more than its underlying", () => {
    const world = createWorld();
    world.setPrice(BTC, "20000");
    world.setPrice(VOL, "0.6");
    const put = { strike: "65000", right: "put" } as const;
    world.list(optionMarket("PUT", maturity(START_MS + 7 * DAY_MS), put));
    world.funded(1, 1_000_000n);
    grant(world, 1000n, world.address(1));
    placeIn(world, "PUT", "sell 0.01 @ 45000");
    expect(spent(world, world.address(1))).toBe(450n);
  });

  it("is at least its lots at mark: no trigger makes it small", () => {
    const venue = setUp();
    venue.place(openAccount(venue, other), "buy 15 @ 58000");
    exhausted(() => place(venue, "sell 10 market profit=0.5"));
    exhausted(() => place(venue, "sell 10 @ 0.5 stop=60000"));
    exhausted(() => place(venue, "sell 10 market trail=1"));
    venue.block(60_000);
    expect(lots(venue)).toBe(0n);
  });

  it("is at least its lots at mark: nor does the limit of a TWAP, or of an order far from it", () => {
    const venue = setUp();
    venue.place(openAccount(venue, other), "buy 15 @ 58000");
    exhausted(() => place(venue, "sell 20 @ 0.5 ioc twap=2/1000"));
    exhausted(() => place(venue, "buy 10 @ 1"));
    expect(spent(venue)).toBe(0n);
  });

  it("is counted anew for whatever an amendment does but shrink it", () => {
    const venue = setUp(130n);
    venue.place(openAccount(venue, other), "buy 15 @ 58000");
    place(venue, "sell 0.001 market stop=59000 id=s");
    exhausted(() => amend(venue, "s", { size: "10" }));
    exhausted(() => amend(venue, "s", { size: "10", triggerPrice: "59500" }));
    // Nor does an order that the owner placed for another end become the key's for nothing.
    venue.place(openAccount(venue, owner), "sell 10 market stop=50000 id=own");
    exhausted(() => amend(venue, "own", { triggerPrice: "60000" }));
    amend(venue, "own", { size: "9" });
    expect(spent(venue)).toBe(60n);
    amend(venue, "s", { triggerPrice: "58000" });
    expect(spent(venue)).toBe(120n);
    expect(venue.violation()).toBeNull();
  });

  it("is nothing when it only reduces, also when it is amended into the market", () => {
    const venue = setUp();
    venue.place(openAccount(venue, other), "sell 1 @ 60000");
    venue.place(openAccount(venue, owner), "buy 1 @ 60000");
    venue.place(openAccount(venue, other), "buy 2 @ 59000");
    venue.place(openAccount(venue, owner), "sell 1 @ 61000 reduce id=x");
    place(venue, "buy 0.001 @ 59000");
    amend(venue, "x", { price: "59000" });
    expect(lots(venue)).toBe(0n);
    expect(spent(venue)).toBe(60n);
  });

  it("is for trades of documents at least their lots at mark", () => {
    const venue = setUp(30_000n);
    const sell = testSigned(testDocument(owner, "sell 0.5 @ 58000"), hot);
    const buy = testSigned(testDocument(other, "buy 1 @ 60000"), other);
    const trades = [testTrade({ price: "58000", size: "0.5", buyer: 1, seller: 0 })];
    const message = { sender: other.address, documents: [sell, buy], trades };
    sendMessage(venue, "MsgClearTrades", message, tx.MsgClearTradesResponse);
    expect(spent(venue)).toBe(30_000n);
  });

  it("is for a sale in an auction what the band lets it trade at", () => {
    const terms = { ...defaultTerms(), auction: defaultAuctionTerms() };
    const venue = setUp(63_000n, testMarket({ terms }));
    exhausted(() => place(venue, "sell 1.001 @ 57000 id=a"));
    place(venue, "sell 1 @ 57000 id=a");
    expect(spent(venue)).toBe(63_000n);
    venue.place(openAccount(venue, other), "buy 1 @ 63000 id=b");
    venue.block(60_000);
    expect(lots(venue)).toBe(-1000n);
  });
});

describe("an order of a trading key that waits", () => {
  it("counts when it fires for what the mark has moved since", () => {
    const venue = setUp(100n);
    place(venue, "sell 0.001 market trail=1000");
    expect(spent(venue)).toBe(60n);
    venue.block(90_000);
    venue.place(openAccount(venue, other), "buy 1 @ 88500");
    venue.block(89_000);
    expect(lots(venue)).toBe(-1n);
    expect(spent(venue)).toBe(89n);
  });

  it("is cancelled when the day's rest does not pay for that", () => {
    const venue = setUp(80n);
    place(venue, "sell 0.001 market trail=1000");
    venue.block(90_000);
    venue.place(openAccount(venue, other), "buy 1 @ 88500");
    venue.ctx.events.length = 0;
    venue.block(89_000);
    expect([lots(venue), spent(venue), refusals(venue)]).toEqual([0n, 60n, ["77"]]);
  });

  it("is paid for slice by slice", () => {
    const venue = setUp(135n);
    place(venue, "buy 0.002 market twap=2/1500");
    expect(spent(venue)).toBe(120n);
    venue.place(openAccount(venue, other), "sell 1 @ 62000");
    venue.block(60_000);
    expect([lots(venue), spent(venue)]).toEqual([1n, 122n]);
    venue.place(openAccount(venue, other), "sell 1 @ 75000");
    venue.block(75_000);
    expect([lots(venue), spent(venue)]).toEqual([1n, 122n]);
    expect(venue.venue.state.waiting.size(venue.ctx)).toBe(0);
  });

  it("does not fire when the grant is gone, unless its owner has made it its own", () => {
    const venue = setUp(10_000n);
    for (const id of ["a", "b", "c"]) place(venue, `sell 0.001 market stop=59000 id=${id}`);
    const own = { sender: owner.address, subaccount: 0 };
    amend(venue, "b", { triggerPrice: "59500" }, own);
    // What only shrinks stays what it was.
    place(venue, "sell 0.002 market stop=59000 id=d");
    amend(venue, "d", { size: "0.001" }, own);
    const revoke = { sender: owner.address, trader: hot.address };
    sendMessage(venue, "MsgRevokeTradingKey", revoke, tx.MsgRevokeTradingKeyResponse);
    venue.place(openAccount(venue, other), "buy 1 @ 58000");
    venue.ctx.events.length = 0;
    venue.block(59_000);
    expect([lots(venue), refusals(venue)]).toEqual([-1n, ["75", "75", "75"]]);
  });

  it("is the owner's when it is a bracket's leg: it stays after the revocation, and leaves with all the others", () => {
    const venue = setUp(10_000n);
    venue.place(openAccount(venue, other), "sell 0.002 @ 60000");
    venue.place(openAccount(venue, other), "buy 1 @ 58000");
    place(venue, "buy 0.001 @ 60000 sl=59000");
    place(venue, "buy 0.001 @ 60000 sl=57000");
    const revoke = { sender: owner.address, trader: hot.address };
    sendMessage(venue, "MsgRevokeTradingKey", revoke, tx.MsgRevokeTradingKeyResponse);
    venue.block(59_000);
    expect([lots(venue), refusals(venue)]).toEqual([1n, []]);
    const all = { sender: owner.address, owner: "", subaccount: 0, market: "" };
    const { cancelled } = sendMessage(venue, "MsgCancelAll", all, tx.MsgCancelAllResponse);
    expect([cancelled, venue.venue.state.waiting.size(venue.ctx)]).toEqual([1, 0]);
  });

  it("keeps its key through an export, and only as it could have got it", () => {
    const venue = setUp();
    place(venue, "sell 0.001 market stop=59000");
    const bytes = genesisOf(venue).export(venue.ctx);
    const again = loaded(bytes);
    expect(genesisOf(again).export(again.ctx)).toEqual(bytes);
    const state = GenesisState.decode(bytes);
    const order = state.waitingOrders[0]!;
    const key = order.keyCount!;
    expect(key).toEqual({ trader: hot.bytes, quantaPerLot: "60000000" });
    for (const change of [
      { keyCount: { ...key, trader: new Uint8Array(19) } },
      { keyCount: { ...key, quantaPerLot: "" } },
      { keyCount: { ...key, quantaPerLot: "00" } },
    ]) {
      const wrong = { ...state, waitingOrders: [{ ...order, ...change }] };
      expect(() => loaded(GenesisState.encode(wrong).finish())).toThrow("no trading key");
    }
  });

  it("is noticed when it counts for no key", () => {
    const venue = setUp();
    place(venue, "sell 0.001 market stop=59000");
    venue.venue.state.waiting.each(venue.ctx, (key, order) => {
      const keyCount = { ...order.keyCount!, quantaPerLot: "1.5" };
      venue.venue.state.waiting.set(venue.ctx, key, { ...order, keyCount });
    });
    expect(venue.violation()).toContain("grants-well-formed: waiting order 1 counts for no");
  });
});
