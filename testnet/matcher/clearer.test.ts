import { KeelTxError } from "@keel/client/errors";
import type { AgreedTrade } from "@keel/client/external-messages";
import { SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { describe, expect, it } from "vitest";
import { Clearer } from "./clearer.ts";
import type { Match } from "./engine.ts";

const match = (n: number): Match => ({
  buyer: SignedDocument.fromPartial({}),
  seller: SignedDocument.fromPartial({}),
  buyerHash: `B${n}`,
  sellerHash: `S${n}`,
  price: `${n}`,
  size: "1",
});

describe("the clearer", () => {
  it("sends several trades in one message, and each by itself when one of them is refused", async () => {
    const sent: string[][] = [];
    const refused: string[] = [];
    const clearer = new Clearer({
      client: {
        async clearTrades(trades: readonly AgreedTrade[]) {
          sent.push(trades.map(({ price }) => price));
          if (trades.some(({ price }) => price === "2"))
            throw new KeelTxError({ codespace: "derivatives", code: 65, log: "cancelled" }, "AA");
          const tx = {
            hash: "FF",
            height: 7,
            gasWanted: 0n,
            gasUsed: 0n,
            events: [],
            responses: [],
          };
          return { documents: [], tx };
        },
      },
      onRefused: ({ buyerHash }) => void refused.push(buyerHash),
    });
    clearer.clear([match(1), match(2), match(3)]);
    expect(clearer.fate("B1")).toEqual({ state: "clearing" });
    await clearer.idle();
    expect(sent).toEqual([["1", "2", "3"], ["1"], ["2"], ["3"]]);
    expect(clearer.fate("S3")).toEqual({ state: "cleared", tx: "FF", height: 7 });
    expect(clearer.fate("B2")).toMatchObject({
      state: "refused",
      codespace: "derivatives",
      code: 65,
    });
    expect(refused).toEqual(["B2"]);
    clearer.clear([match(4)]);
    await clearer.idle();
    expect(sent.at(-1)).toEqual(["4"]);
  });
});
