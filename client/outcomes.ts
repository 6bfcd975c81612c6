/** What calls that carry several orders, or move money, answer. */
import {
  MsgBatchOrdersResponse,
  MsgPlaceComboResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  type AmendedOrder,
  amendItem,
  type CancelledOrder,
  cancelItem,
  type ItemResult,
  orderItem,
  type PlacedOrder,
  placedOrder,
  responseOf,
  type TxOutcome,
} from "./tx-result.ts";

/** What a call answers, with the transaction that carried it. */
export type WithTx<T> = T & { readonly tx: TxOutcome };

export interface BatchOutcome {
  /** In the order of the request. */
  readonly cancels: readonly ItemResult<CancelledOrder>[];
  readonly amendments: readonly ItemResult<AmendedOrder>[];
  readonly orders: readonly ItemResult<PlacedOrder>[];
}

export interface ComboOutcome {
  /** In the order of the request; all filled. */
  readonly legs: readonly PlacedOrder[];
  /** Paid on balance (received when negative), without fees; whole units in text. */
  readonly netQuote: string;
  readonly fee: string;
}

export interface CollateralOutcome {
  /** The sub-account's collateral afterwards, in quanta. */
  readonly collateral: bigint;
}

/** Results of the batch that was message number `index`. */
export function batchOutcome(tx: TxOutcome, index: number): BatchOutcome {
  const { amendments, cancels, orders } = responseOf(tx, index, MsgBatchOrdersResponse);
  return {
    cancels: cancels.map(cancelItem),
    amendments: amendments.map(amendItem),
    orders: orders.map(orderItem),
  };
}

/** Result of the combination that was message number `index`. */
export function comboOutcome(tx: TxOutcome, index: number): ComboOutcome {
  const { fee, legs, netQuote } = responseOf(tx, index, MsgPlaceComboResponse);
  return { legs: legs.map(placedOrder), netQuote, fee };
}
