import { MsgUpdateFeeParams, NewOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MsgSetDynamicMargin, MsgUpdateParams } from "@keel/proto/gen/keel/margin/v1/tx";
import { describe, expect, it } from "vitest";
import { keelAminoTypes } from "./amino.ts";
import {
  approveBuilderMessage,
  registerReferralCodeMessage,
  setReferrerMessage,
  traderStanding,
} from "./fees.ts";
import type { KeelClient } from "./keel-client.ts";
import { newOrder } from "./orders.ts";

const steps = { symbol: "X", tickSize: "0.5", lotSize: "0.001" };
const order = { market: "X", side: "buy", price: "1", size: "1" } as const;

describe("fee messages", () => {
  it("are checked before anything is signed", () => {
    for (const code of ["ab", "lower", "WITH SPACE", "A".repeat(21)])
      for (const message of [registerReferralCodeMessage, setReferrerMessage])
        expect(() => message("keel1me", code)).toThrow("code: expected 3 to 20 capital letters");
    expect(registerReferralCodeMessage("keel1me", "ABC").value).toEqual({
      sender: "keel1me",
      code: "ABC",
    });
    for (const ppm of [-1, 0.5, 10_001])
      expect(() => approveBuilderMessage("keel1me", "keel1b", ppm)).toThrow("feeMaxPpm: expected");
    expect(approveBuilderMessage("keel1me", "keel1b", 0).value).toMatchObject({ feeMaxPpm: 0 });
  });

  it("and an order's builder", () => {
    expect(newOrder(order, steps).builder).toBeUndefined();
    const builder = { address: "keel1b", feePpm: 25 };
    expect(newOrder({ ...order, builder }, steps).builder).toEqual({
      builder: "keel1b",
      feePpm: 25,
    });
    const above = { address: "keel1b", feePpm: 10_001 };
    expect(() => newOrder({ ...order, builder: above }, steps)).toThrow("builder: expected");
  });

  it("come back from amino JSON with what is nested in them", () => {
    const types = keelAminoTypes();
    const placed = NewOrder.fromPartial({ market: "X", builder: { builder: "keel1b", feePpm: 7 } });
    for (const [typeUrl, value] of [
      [
        "/keel.derivatives.v1.MsgBatchOrders",
        { sender: "s", owner: "", subaccount: 0, cancels: [], amendments: [], orders: [placed] },
      ],
      [
        "/keel.derivatives.v1.MsgUpdateFeeParams",
        MsgUpdateFeeParams.fromPartial({
          authority: "a",
          params: {
            tiers: [
              { volume: "0", takerFactorPpm: 1_000_000 },
              { volume: "5", makerDiscountPpm: 9 },
            ],
            referrerSharePpm: 3,
            actionBudget: { initial: 1n, quantaPerAction: 2n, trickleMs: 3n },
          },
        }),
      ],
      [
        "/keel.margin.v1.MsgUpdateParams",
        MsgUpdateParams.fromPartial({
          authority: "a",
          params: { feeSplit: { stakersPpm: 1, insurancePpm: 2, treasuryPpm: 3, treasury: "t" } },
        }),
      ],
      [
        "/keel.margin.v1.MsgSetDynamicMargin",
        MsgSetDynamicMargin.fromPartial({
          authority: "a",
          feedId: 7,
          terms: { feedId: 7, basePpm: 9n, forward: { impliedFeedId: 2, riseMaxPpm: 5n } },
        }),
      ],
    ] as const) {
      const amino = types.toAmino({ typeUrl, value });
      expect(types.fromAmino(JSON.parse(JSON.stringify(amino)))).toEqual({ typeUrl, value });
    }
  });
});

describe("an owner's standing", () => {
  it("is read in quanta, and what is not there is undefined", async () => {
    const asked: object[] = [];
    const answer = {
      tier: 2,
      volume: "340282366920938463463374607431768211455",
      volumeToday: "5",
      volumeLifetime: "7",
      referrer: "",
      referralCode: "ABC",
      budget: undefined,
      rates: { takerPpm: 400, makerPpm: -50, auctionPpm: 0 },
    };
    const chain = {
      ask: (_method: unknown, query: object) => {
        asked.push(query);
        return Promise.resolve(answer);
      },
    } as unknown as KeelClient;
    expect(await traderStanding(chain, "keel1me", "X")).toEqual({
      tier: 2,
      volume: (1n << 128n) - 1n,
      volumeToday: 5n,
      volumeLifetime: 7n,
      referrer: undefined,
      referralCode: "ABC",
      budget: undefined,
      rates: { takerPpm: 400, makerPpm: -50, auctionPpm: 0 },
    });
    expect(asked).toEqual([{ owner: "keel1me", market: "X" }]);
  });
});
