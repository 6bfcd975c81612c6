/**
 * Hostile submissions of trades between order documents, on the real ledger: bytes changed at random, other chains, swapped sides, repeated and
 * replayed documents, trades with oneself. Either a message clears what its documents allow, or it changes nothing.
 */

import { documentHash } from "@keel/modules/derivatives/external/document";
import {
  testDocument,
  testKey,
  testSigned,
  testTrade,
} from "@keel/modules/derivatives/external/testing";
import { ModuleError } from "@keel/modules/kit/errors";
import { changedKeys } from "@keel/modules/kit/testing/changes";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import type { OrderDocument, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createModuleWorld, type ModuleWorld } from "./testing/module-world.ts";

const TYPE = "/keel.derivatives.v1.MsgClearTrades";
const owners = [1, 2, 3].map((seed) => testKey(seed));
const matcher = testKey(9);

interface Draw {
  readonly buyer: number;
  readonly seller: number;
  readonly buySize: number;
  readonly sellSize: number;
  readonly size: number;
  readonly price: number;
  readonly change: string;
  readonly at: number;
  readonly scheme: 1 | 2;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  buyer: fc.nat(2),
  seller: fc.nat(2),
  buySize: fc.integer({ min: 3, max: 9 }),
  sellSize: fc.integer({ min: 3, max: 9 }),
  size: fc.integer({ min: 1, max: 5 }),
  price: fc.constantFrom(0, 0, 0, 1, -1, 2, -2),
  change: fc.constantFrom(
    ...Array.from({ length: 12 }, () => "none"),
    ...["flip byte", "flip byte", "cut", "chain", "swap sides", "twice"],
    ...["other signer", "changed size", "changed salt", "signature", "expired", "other key kind"],
  ),
  at: fc.nat(),
  scheme: fc.constantFrom(1, 2),
});

/** Few salts, so that documents come back: replays and partial fills are the common case. */
function documentsOf(draw: Draw): [OrderDocument, OrderDocument] {
  const { buyer, seller, buySize, sellSize, at } = draw;
  const common = {
    chainId: draw.change === "chain" ? "other-1" : "test-1",
    market: "BTC-PERP",
    salt: BigInt(at % 3),
    expiryMs: draw.change === "expired" ? 1_699_999_999_999n : 1_700_000_600_000n,
  };
  return [
    testDocument(owners[buyer]!, `buy 0.0${buySize} @ 65001`, common),
    testDocument(owners[seller]!, `sell 0.0${sellSize} @ 64999`, common),
  ];
}

function messageOf(draw: Draw): tx.MsgClearTrades {
  const { buyer, seller, change, scheme, at } = draw;
  const [buys, sells] = documentsOf(draw);
  let first: SignedDocument = testSigned(buys, owners[buyer]!, scheme);
  const second = testSigned(sells, owners[seller]!, scheme);
  if (change === "other signer") first = testSigned(buys, owners[(buyer + 1) % 3]!, scheme);
  if (change === "changed size") first = { ...first, document: { ...buys, size: "1" } };
  if (change === "changed salt") first = { ...first, document: { ...buys, salt: 99n } };
  if (change === "other key kind")
    first = { ...first, key: { type: 2, key: first.key!.key.slice(1) } };
  if (change === "signature") {
    const signature = first.signature.slice();
    signature[at % 64] = signature[at % 64]! ^ (1 + (at % 255));
    first = { ...first, signature };
  }
  const price = `${65_000 + draw.price}`;
  const trade = testTrade({ price, size: `0.0${draw.size}`, taker: 1 + (at % 2) === 1 ? 1 : 2 });
  const swapped = { ...trade, buyer: 1, seller: 0 };
  return tx.MsgClearTrades.fromPartial({
    sender: matcher.address,
    documents: change === "twice" ? [first, second, first] : [first, second],
    trades:
      change === "swap sides"
        ? [swapped]
        : change === "twice"
          ? [trade, { ...trade, buyer: 2 }]
          : [trade],
  });
}

function bytesOf(draw: Draw): Uint8Array {
  const bytes = tx.MsgClearTrades.encode(messageOf(draw)).finish();
  if (draw.change === "cut") return bytes.slice(0, draw.at % bytes.length);
  if (draw.change !== "flip byte") return bytes;
  const flipped = bytes.slice();
  flipped[draw.at % bytes.length] = flipped[draw.at % bytes.length]! ^ (1 + (draw.at % 255));
  return flipped;
}

/** What a reader of the documents expects: lots filled per document, by hash. */
type Model = Map<string, number>;

const keyOf = (document: OrderDocument): string => bytesToLatin1(documentHash(document));

function allowed(model: Model, draw: Draw): boolean {
  const [buys, sells] = documentsOf(draw);
  const filled = (document: OrderDocument): number => model.get(keyOf(document)) ?? 0;
  return (
    draw.change === "none" &&
    draw.buyer !== draw.seller &&
    draw.price >= -1 &&
    draw.price <= 1 &&
    filled(buys) + draw.size <= draw.buySize &&
    filled(sells) + draw.size <= draw.sellSize
  );
}

function run(world: ModuleWorld, draws: readonly Draw[], model: Model): number {
  let cleared = 0;
  for (const draw of draws) {
    const before = world.ctx.state.fork();
    const expected = allowed(model, draw);
    const trades = world.ctx.events.length;
    try {
      world.handle(TYPE, bytesOf(draw));
    } catch (error) {
      // Undecodable bytes fail in the decoder, which the transaction reader answers for.
      const harmless = draw.change === "flip byte" || draw.change === "cut";
      if (!(error instanceof ModuleError) && !harmless) throw error;
      expect(expected, (error as Error).message).toBe(false);
      expect(changedKeys(before, world.ctx.state)).toEqual([]);
      continue;
    }
    // A flipped bit may fall where nothing is signed: in the trade. Then the documents still decide.
    if (draw.change === "flip byte") {
      expect(world.ctx.events.length).toBeGreaterThan(trades);
      return cleared + 1;
    }
    expect(expected).toBe(true);
    for (const document of documentsOf(draw))
      model.set(keyOf(document), (model.get(keyOf(document)) ?? 0) + draw.size);
    cleared += 1;
  }
  return cleared;
}

describe("hostile submissions", () => {
  it("clear what was signed, once, or change nothing", { timeout: 120_000 }, () => {
    let cleared = 0;
    fc.assert(
      fc.property(fc.array(draw, { minLength: 5, maxLength: 40 }), (draws) => {
        const world = createModuleWorld();
        world.setPrice(6_500_000n);
        for (const { bytes } of owners) world.fund(bytes, 0, 10_000_000_000n);
        cleared += run(world, draws, new Map());
        expect(world.violation()).toBeNull();
      }),
      { numRuns: 60 },
    );
    expect(cleared).toBeGreaterThan(100);
  });
});
