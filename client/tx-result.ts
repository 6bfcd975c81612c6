/** What became of a transaction, and of each order in it. */
import type {
  AmendResult,
  CancelResult,
  MsgAmendOrderResponse,
  MsgPlaceOrderResponse,
  OrderResult,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { TxMsgData } from "cosmjs-types/cosmos/base/abci/v1beta1/abci";
import { codeName, KeelConnectionError, type Refusal } from "./errors.ts";
import type { Codec } from "./registry.ts";

export interface TxEvent {
  readonly type: string;
  readonly attributes: readonly { readonly key: string; readonly value: string }[];
}

/** The execution result as the node reports it, successful or not. */
export interface RawTxResult {
  readonly hash: string;
  readonly height: number;
  readonly code: number;
  readonly codespace: string;
  readonly log: string;
  readonly data: Uint8Array;
  readonly gasWanted: bigint;
  readonly gasUsed: bigint;
  readonly events: readonly TxEvent[];
}

/** A transaction that succeeded in a block. */
export interface TxOutcome {
  /** Upper-case hex. */
  readonly hash: string;
  readonly height: number;
  readonly gasWanted: bigint;
  readonly gasUsed: bigint;
  readonly events: readonly TxEvent[];
  /** One response per message, in order. */
  readonly responses: readonly { readonly typeUrl: string; readonly value: Uint8Array }[];
}

export function txOutcome(result: RawTxResult): TxOutcome {
  const { hash, height, gasWanted, gasUsed, events, data } = result;
  const responses =
    data.length === 0
      ? []
      : TxMsgData.decode(data).msgResponses.map(({ typeUrl, value }) => ({ typeUrl, value }));
  return { hash, height, gasWanted, gasUsed, events, responses };
}

/** Response number `index` of a transaction, decoded. */
export function responseOf<T>(outcome: TxOutcome, index: number, codec: Codec<T>): T {
  const response = outcome.responses[index];
  if (response === undefined)
    throw new KeelConnectionError(
      "bad-answer",
      `expected a response to message ${index}, got ${outcome.responses.length} responses`,
      outcome.hash,
    );
  return codec.decode(response.value);
}

/**
 * "waiting": outside the book, for its trigger or its next slice. "collected": accepted into an auction; its fate is told by the events of
 * the block.
 */
export type PlacedStatus = "open" | "filled" | "cancelled" | "waiting" | "collected";

/** An order the chain took. Prices, sizes and fees are decimal text. */
export interface PlacedOrder {
  /** 0 when it was collected: its client id names it. */
  readonly orderId: bigint;
  readonly status: PlacedStatus;
  readonly filledSize: string;
  /** Rests in the book or waits; "0" unless open or waiting. */
  readonly remainingSize: string;
  /** Empty without fills. */
  readonly averagePrice: string;
  readonly filledQuote: string;
  readonly fills: number;
  readonly fee: string;
  /** Why it is neither filled completely nor open; empty otherwise. */
  readonly reason: string;
  /** Orders of its bracket that fills of this step activated; 0: none. */
  readonly takeProfitId: bigint;
  readonly stopLossId: bigint;
  /** Where inclusion lists give rounds: the height whose auction it enters, which may be held up to four blocks later. 0n elsewhere. */
  readonly round: bigint;
}

/** An order after its amendment; what was filled is what was filled by it. */
export interface AmendedOrder extends PlacedOrder {
  /** It only shrank, and kept its place. */
  readonly keptPriority: boolean;
}

export interface CancelledOrder {
  readonly orderId: bigint;
  /** "0" while it waits for its round. */
  readonly cancelledSize: string;
  /** Where inclusion lists give rounds: the height before whose auction the order leaves. 0n: it has left. */
  readonly round: bigint;
}

/** One item of a batch: what happened, or why it was refused (the others stand). */
export type ItemResult<T> =
  | ({ readonly ok: true } & T)
  | ({ readonly ok: false; readonly codeName: string | undefined } & Refusal);

const statuses: Readonly<Record<number, PlacedStatus>> = {
  [OrderStatus.ORDER_STATUS_OPEN]: "open",
  [OrderStatus.ORDER_STATUS_FILLED]: "filled",
  [OrderStatus.ORDER_STATUS_CANCELLED]: "cancelled",
  [OrderStatus.ORDER_STATUS_COLLECTED]: "collected",
  [OrderStatus.ORDER_STATUS_WAITING]: "waiting",
};

export function placedOrder(response: MsgPlaceOrderResponse): PlacedOrder {
  const status = statuses[response.status];
  if (status === undefined)
    throw new KeelConnectionError("bad-answer", `unknown order status ${response.status}`);
  return { ...response, status };
}

export function amendedOrder({ keptPriority, order }: MsgAmendOrderResponse): AmendedOrder {
  if (order === undefined) throw new KeelConnectionError("bad-answer", "expected an order");
  return { ...placedOrder(order), keptPriority };
}

export function orderItem({ code, codespace, log, placed }: OrderResult): ItemResult<PlacedOrder> {
  return code === 0 && placed !== undefined
    ? { ok: true, ...placedOrder(placed) }
    : { ok: false, code, codespace, log, codeName: codeName(codespace, code) };
}

export function cancelItem({
  code,
  codespace,
  log,
  cancelled,
}: CancelResult): ItemResult<CancelledOrder> {
  return code === 0 && cancelled !== undefined
    ? { ok: true, ...cancelled }
    : { ok: false, code, codespace, log, codeName: codeName(codespace, code) };
}

export function amendItem({
  code,
  codespace,
  log,
  amended,
}: AmendResult): ItemResult<AmendedOrder> {
  return code === 0 && amended !== undefined
    ? { ok: true, ...amendedOrder(amended) }
    : { ok: false, code, codespace, log, codeName: codeName(codespace, code) };
}
