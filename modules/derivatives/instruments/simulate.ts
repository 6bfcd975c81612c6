/** Random listings by anyone, for simulation: every kind of dated contract, near and far, some of them refused. */
import { MsgListMarket } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import { mulDivDown } from "../../kit/math/mul-div.ts";
import type { Random } from "../random.ts";
import type { SimulatedAccount } from "../simulate-kit.ts";

const MINUTE_MS = 60_000;

export function simulateListing(
  ctx: ReadContext,
  random: Random,
  { owner }: SimulatedAccount,
  feeds: { readonly index: number; readonly volatility: number },
): {
  readonly operation: string;
  readonly message: { readonly typeUrl: string; readonly value: MsgListMarket };
} {
  const minute = mulDivDown(ctx.header.timeNs, 1n, 1_000_000n * BigInt(MINUTE_MS));
  const maturity = {
    expiryMs: (minute + BigInt(5 + random.below(90))) * BigInt(MINUTE_MS),
    windowMs: BigInt((1 + random.below(10)) * MINUTE_MS),
    closeOnlyMs: BigInt(random.below(3) * MINUTE_MS),
  };
  const right: OptionRight =
    random.below(2) === 0 ? OptionRight.OPTION_RIGHT_CALL : OptionRight.OPTION_RIGHT_PUT;
  const strike = `${500 * (100 + random.below(50))}`;
  const option = {
    maturity,
    right,
    strike,
    volatilityFeedId: feeds.volatility,
    volatilitySurfaceId: 0,
  };
  const instruments = [
    { datedFuture: { maturity } },
    { europeanOption: option },
    { digitalOption: { ...option, payout: "100" } },
    { asianOption: option },
  ];
  const value = MsgListMarket.fromPartial({
    sender: owner,
    market: {
      feedId: feeds.index,
      tickSize: "0.5",
      lotSize: "0.01",
      ...instruments[random.below(instruments.length)],
    },
  });
  return {
    operation: "listing",
    message: { typeUrl: "/keel.derivatives.v1.MsgListMarket", value },
  };
}
