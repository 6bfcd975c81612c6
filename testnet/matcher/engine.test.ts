import { OrderDocument, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { describe, expect, it } from "vitest";
import { MatchEngine } from "./engine.ts";

let salt = 0n;

function signed(text: string, owner = "a", change: Partial<OrderDocument> = {}): SignedDocument {
  const [side, size = "", , price = ""] = text.split(" ");
  const document = OrderDocument.fromPartial({
    ...{ owner, market: "BTC", side: side === "buy" ? 1 : 2, size, price },
    ...{ salt: salt++, expiryMs: 1_000n },
    ...change,
  });
  return SignedDocument.fromPartial({ document });
}

describe("the matching engine", () => {
  it("matches best price first, then the older, at the resting price, and keeps the rest", () => {
    const engine = new MatchEngine();
    engine.add(signed("sell 1 @ 101"), 0);
    const first = engine.add(signed("sell 0.5 @ 100.5"), 0);
    engine.add(signed("sell 2 @ 100.5"), 0);
    const { matches, hash } = engine.add(signed("buy 3.25 @ 101", "b"), 0);
    expect(matches.map(({ price, size, taker }) => `${size} @ ${price} ${taker}`)).toEqual([
      "0.5 @ 100.5 buy",
      "2 @ 100.5 buy",
      "0.75 @ 101 buy",
    ]);
    expect(matches[0]?.sellerHash).toBe(first.hash);
    expect(engine.find(hash)).toBeUndefined();
    expect(engine.side("BTC", 2).map(({ remaining }) => remaining)).toEqual([
      { digits: 25n, places: 2 },
    ]);
  });

  it("does not match an owner with itself, other markets, or prices that do not cross", () => {
    const engine = new MatchEngine();
    engine.add(signed("buy 1 @ 100"), 0);
    expect(engine.add(signed("sell 1 @ 99"), 0).matches).toEqual([]);
    expect(engine.add(signed("sell 1 @ 100.1", "b"), 0).matches).toEqual([]);
    expect(engine.add(signed("sell 1 @ 99", "b", { market: "ETH" }), 0).matches).toEqual([]);
    expect(engine.size).toBe(4);
  });

  it("refuses what has expired or is there already, and drops what expires", () => {
    const engine = new MatchEngine();
    const one = signed("buy 1 @ 100");
    engine.add(one, 0);
    expect(() => engine.add(one, 0)).toThrow("already");
    expect(() => engine.add(signed("buy 1 @ 100"), 1_000)).toThrow("expired");
    engine.dropExpired(1_000);
    expect(engine.size).toBe(0);
  });
});
