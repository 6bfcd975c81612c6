import { OrderDocument, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { describe, expect, it } from "vitest";
import { bestQuote } from "./rfq.ts";

const quote = (owner: string, price: string): SignedDocument =>
  SignedDocument.fromPartial({ document: OrderDocument.fromPartial({ owner, price }) });

describe("the best quote", () => {
  const quotes = [
    quote("a", "100.5"),
    quote("b", "99"),
    quote("c", "99.0"),
    quote("d", "100.50"),
    quote("e", "99.00"),
    quote("f", "98"),
    quote("g", "101"),
  ];
  const winner = (side: "buy" | "sell", limit: string, given = quotes): string =>
    bestQuote(given, side, limit)?.document?.owner ?? "none";

  it("is the lowest for whoever buys, the highest for whoever sells, within the limit", () => {
    expect(winner("buy", "100")).toBe("f");
    expect(winner("sell", "100")).toBe("g");
    expect(winner("buy", "97.9")).toBe("none");
    expect(winner("sell", "101.1")).toBe("none");
  });

  it("is the first of those at one price, in whatever order worse ones are around it", () => {
    const without = (...names: string[]): SignedDocument[] =>
      quotes.filter(({ document }) => !names.includes(document?.owner ?? ""));
    expect(winner("buy", "100", without("f"))).toBe("b");
    expect(winner("buy", "100", [...without("f")].reverse())).toBe("e");
    expect(winner("sell", "100", without("g"))).toBe("a");
    expect(winner("sell", "100", [...without("g")].reverse())).toBe("d");
  });
});
