/** What the sender of an order is told. */
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { BracketTerms, OrderStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { formatDecimal } from "../../kit/math/decimal.ts";
import { divHalfEven } from "../../kit/math/mul-div.ts";
import { formatMoney, formatSize } from "../instruments.ts";
import type { Turn } from "../venue.ts";
import type { Execution } from "./execution.ts";

/** Places of an average price below those of the tick. */
const AVERAGE_PLACES = 4;

export function respond(
  turn: Turn,
  done: {
    readonly orderId: number;
    readonly execution: Execution;
    readonly protection: BracketTerms | undefined;
  },
  result: {
    readonly status: OrderStatus;
    readonly reason: string;
    /** Lots in the book or waiting. */
    readonly resting: number;
  },
): MsgPlaceOrderResponse {
  const { instrument } = turn;
  const { protection } = done;
  const { filledLots, notional, fills, feeQuanta } = done.execution;
  const scale = 10n ** BigInt(AVERAGE_PLACES);
  const average =
    fills === 0
      ? ""
      : formatDecimal(
          divHalfEven(
            notional * instrument.tick.units * scale,
            instrument.quantaPerTickLot * BigInt(filledLots),
          ),
          instrument.tick.places + AVERAGE_PLACES,
        );
  return {
    orderId: BigInt(done.orderId),
    status: result.status,
    filledSize: formatSize(instrument, filledLots),
    remainingSize: formatSize(instrument, result.resting),
    averagePrice: average,
    filledQuote: formatMoney(notional),
    fills,
    fee: formatMoney(feeQuanta),
    reason: result.reason,
    takeProfitId: protection?.takeProfit?.orderId ?? 0n,
    stopLossId: protection?.stopLoss?.orderId ?? 0n,
    round: 0n,
  };
}
