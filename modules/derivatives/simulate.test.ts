import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus, MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { accountId } from "../kit/account-id.ts";
import { atomically } from "../kit/atomically.ts";
import { ModuleError } from "../kit/errors.ts";
import { defaultAuctionTerms, defaultTerms } from "./defaults.ts";
import { externalOperations, type SimulatedWallets } from "./external/simulate.ts";
import { testKey, testSigned } from "./external/testing.ts";
import { simulatedFeeParams } from "./fees/simulate.ts";
import { createRandom } from "./random.ts";
import { operations, simulateMessage } from "./simulate.ts";
import { createTestVenue, SYMBOL, testMarket } from "./testing.ts";

const { MARKET_STATUS_ACTIVE: ACTIVE, MARKET_STATUS_HALTED: HALTED } = MarketStatus;
const { MATCHING_MODE_BATCH_AUCTION: BATCH, MATCHING_MODE_CONTINUOUS: CONTINUOUS } = MatchingMode;

function run(seed: number, blocks: number, market: Market = testMarket()) {
  const random = createRandom(seed);
  const venue = createTestVenue(market, 2_000n);
  const { ctx, keeper, module } = venue;
  venue.venue.state.fees.params.set(ctx, simulatedFeeParams());
  keeper.createMarket(ctx, { ...market, symbol: "BTC-USD-PERP-2", lotSize: "0.01" });
  const keys = Array.from({ length: 6 }, (_, i) => testKey(1 + i));
  const accounts = Array.from({ length: 12 }, (_, i) => {
    const { bytes, address: owner } = keys[i >> 1]!;
    venue.clearing.open(accountId(bytes, i & 1), 2_000n);
    return { owner, subaccount: i & 1 };
  });
  const keyOf = (owner: string) => keys.find(({ address }) => address === owner)!;
  const wallets: SimulatedWallets = {
    sign: (owner, document) => testSigned(document, keyOf(owner)),
    key: (owner) => ({ type: 1, key: keyOf(owner).key }),
  };
  const accepted = new Map<string, number>();
  const refused = new Map<string, number>();
  let price = 60_000;
  for (let block = 0; block < blocks; block++) {
    price += random.below(101) - 50;
    if (market.terms?.auction !== undefined && random.below(8) === 0) {
      const halted = keeper.terms(ctx, 1)?.status === "halted";
      keeper.updateMarket(ctx, SYMBOL, { status: halted ? ACTIVE : HALTED, terms: undefined });
    }
    venue.setPrice(price, random.below(20) !== 0);
    keeper.beginBlock(ctx);
    for (let i = 0; i < 25; i++) {
      const next = simulateMessage(ctx, keeper, random, accounts, wallets);
      if (next === null) continue;
      const route = module.messages.find(({ typeUrl }) => typeUrl === next.message.typeUrl)!;
      // Over the wire and back, as a transaction comes.
      const message = route.decode(route.encode(next.message.value));
      try {
        route.validate(message);
        atomically(ctx, (inner) => route.handle({ ...inner, signers: [] }, message));
        accepted.set(next.operation, (accepted.get(next.operation) ?? 0) + 1);
      } catch (error) {
        if (!(error instanceof ModuleError)) throw error;
        refused.set(next.operation, (refused.get(next.operation) ?? 0) + 1);
      }
    }
    keeper.endBlock(ctx);
    if (block % 10 === 0) expect(venue.violation()).toBeNull();
    ctx.nextBlock(1);
  }
  return {
    accepted,
    refused,
    events: JSON.stringify(ctx.events),
    book: venue.book(),
    status: keeper.terms(ctx, 1)?.status,
  };
}

describe("simulated traders", { timeout: 120_000 }, () => {
  it("use every kind of order, are refused for what is wrong, and leave the invariants whole", () => {
    const { accepted, refused, status, events } = run(5, 100);
    const wrong = new Set([
      "off tick",
      "slippage on a limit",
      "waiting without a trigger price",
      "forged document",
    ]);
    for (const { name } of [...operations, ...externalOperations]) {
      if (wrong.has(name)) expect(accepted.get(name), name).toBeUndefined();
      else expect(accepted.get(name), name).toBeGreaterThan(0);
    }
    for (const name of wrong) expect(refused.get(name), name).toBeGreaterThan(0);
    expect(refused.get("beyond the band")).toBeGreaterThan(0);
    expect(status).toBe("active");
    const types = new Set(
      (JSON.parse(events) as { readonly type: string }[]).map(({ type }) => type),
    );
    for (const type of [
      "order_waiting",
      "order_triggered",
      "order_amended",
      "order_reduced",
      "order_refilled",
      "twap_slice",
      "combo_filled",
      "dead_man_set",
      "dead_man_fired",
      "fee_shared",
      "referrer_set",
    ]) {
      expect(types, type).toContain(type);
    }
  });

  it("trade in auctions through halts, interruptions and openings, and leave the invariants whole", () => {
    for (const matching of [BATCH, CONTINUOUS]) {
      const auction = {
        ...defaultAuctionTerms(),
        matching,
        openingMs: 3000n,
        interruptionMs: 2000n,
      };
      const { accepted, events, status } = run(
        7,
        120,
        testMarket({ terms: { ...defaultTerms(), auction } }),
      );
      expect(status).not.toBe("quarantined");
      expect(accepted.get("limit")).toBeGreaterThan(60);
      const count = (type: string): number => events.split(`"type":"${type}"`).length - 1;
      expect(count("auction_opening")).toBeGreaterThan(3);
      expect(count("auction_cleared")).toBeGreaterThan(matching === BATCH ? 10 : 1);
      expect(count("auction_fill")).toBeGreaterThan(matching === BATCH ? 40 : 2);
      expect(count("trade") > 0).toBe(matching === CONTINUOUS);
    }
  });

  it("make the same history from the same seed, and another from another", () => {
    const first = run(9, 20);
    expect(run(9, 20)).toEqual(first);
    expect(run(10, 20).events).not.toEqual(first.events);
  });
});
