import { CollectedCancel, CollectedOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { importedRounds } from "./imported.ts";

const owner = new Uint8Array(20).fill(1);

/** "market/round name"; a name ends with ! for a cancel, which is of everything without one. */
function from(texts: readonly string[], initialHeight: number): string[] {
  const parsed = texts.map((text) => {
    const [, market, round, clientId = "", cancel] = /^(\d+)\/(\d+) (\w*)(!?)$/.exec(text) ?? [];
    return { owner, market: Number(market), round: BigInt(round ?? 0), clientId, isCancel: cancel };
  });
  const { cancels, orders } = importedRounds(
    {
      orders: parsed
        .filter((one) => one.isCancel === "")
        .map((one) => CollectedOrder.fromPartial(one)),
      cancels: parsed
        .filter((one) => one.isCancel !== "")
        .map((one) => CollectedCancel.fromPartial(one)),
    },
    initialHeight,
  );
  const text = (one: CollectedOrder | CollectedCancel) =>
    `${one.market}/${one.round} ${one.clientId}`;
  return [...orders.map(text), ...cancels.map((one) => `${text(one)}!`)];
}

describe("rounds of an export", () => {
  it("stay what they are where the chain goes on, or begins higher", () => {
    const pending = ["1/49 a", "1/51 b", "2/51 c", "1/51 a!", "1/51 !"];
    expect(from(pending, 51)).toEqual(pending);
    expect(from(pending, 90)).toEqual(pending);
  });

  it("are the first block's where it begins lower, and earlier ones of a market stay earlier", () => {
    const pending = ["1/48 a", "1/49 b", "1/51 c", "2/50 d", "1/51 !"];
    const early = (initial: number) => [`1/${initial - 1} a`, `1/${initial - 1} b`];
    for (const first of [1, 7])
      expect(from(pending, first)).toEqual([
        ...early(first),
        `1/${first} c`,
        `2/${first} d`,
        `1/${first} !`,
      ]);
    expect(from(["1/49 a", "1/50 b", "1/51 c"], 50)).toEqual(["1/49 a", "1/49 b", "1/50 c"]);
  });

  it("that meet have one cancel of a name, and one of everything", () => {
    const pending = ["1/40 a!", "1/41 a!", "1/41 b!", "1/51 a!", "1/40 !", "1/41 !"];
    expect(from(pending, 1)).toEqual(["1/0 a!", "1/0 b!", "1/1 a!", "1/0 !"]);
  });

  it("of orders that wait for no round stay so", () => {
    expect(from(["1/0 a", "1/51 b"], 1)).toEqual(["1/0 a", "1/1 b"]);
  });
});
