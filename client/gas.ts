/** Gas limits and fees without asking the chain: a market maker cannot wait for a simulation. */
import type { StdFee } from "@cosmjs/amino";
import type { EncodeObject } from "@cosmjs/proto-signing";
import { calculateFee, GasPrice } from "@cosmjs/stargate";
import type {
  MsgBatchOrders,
  MsgClearTrades,
  MsgPlaceCombo,
  MsgPlaceOco,
  MsgPlaceOrder,
  NewOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { KeelInputError } from "./errors.ts";

/** Signature, fee deduction and transaction bytes. */
export const BASE_GAS = 120_000;
/** An order that can only rest, of an account with as many positions as the chain's defaults allow: 7,000 each. */
const POST_ONLY_GAS = 300_000;
/**
 * An order that may trade: about forty fills of an account with one position, a dozen with ten, four with thirty-two, since each fill looks at all
 * positions of both sides. One that sweeps deeper needs `gas` given, or "simulate".
 */
const TAKING_GAS = 1_000_000;
const CANCEL_GAS = 100_000;
/** Each slice of a TWAP pays so much when the order is placed where markets match by auction (`AUCTION_SLICE_GAS` of the chain); elsewhere less than half of it. */
export const SLICE_GAS = 70_000;

/** Generous by intent: gas not used costs the fee of the limit and nothing else. */
const gasByType: Readonly<Record<string, number>> = {
  "/keel.derivatives.v1.MsgCancelOrder": CANCEL_GAS,
  "/keel.derivatives.v1.MsgCancelAll": 4_000_000,
  "/keel.derivatives.v1.MsgCancelDocuments": 2_000_000,
  // Cancels every order of the account first.
  "/keel.derivatives.v1.MsgTransferSubaccount": 4_000_000,
  "/keel.derivatives.v1.MsgAmendOrder": TAKING_GAS,
  "/keel.derivatives.v1.MsgSetDeadMan": 150_000,
  "/keel.margin.v1.MsgDeposit": 200_000,
  "/keel.margin.v1.MsgWithdraw": 250_000,
  "/keel.margin.v1.MsgTransfer": 250_000,
  "/keel.margin.v1.MsgSetMarginMode": 400_000,
  "/keel.margin.v1.MsgSetWithdrawalPolicy": 250_000,
  "/keel.margin.v1.MsgProposeWithdrawal": 300_000,
  "/keel.margin.v1.MsgApproveWithdrawal": 250_000,
  "/keel.margin.v1.MsgExecuteWithdrawal": 500_000,
  "/keel.margin.v1.MsgSetTopUp": 150_000,
  "/keel.insurance.v1.MsgFund": 200_000,
  "/keel.insurance.v1.MsgUnderwrite": 200_000,
  "/keel.insurance.v1.MsgGiveNotice": 200_000,
  // Values every market of the vault.
  "/keel.vault.v1.MsgDepositToVault": 1_000_000,
  "/keel.vault.v1.MsgRequestWithdrawal": 200_000,
  "/keel.vault.v1.MsgCancelWithdrawal": 200_000,
  "/cosmos.bank.v1beta1.MsgSend": 100_000,
};
const OTHER_GAS = 400_000;
/** One document of an external trade, and one trade. */
const DOCUMENT_GAS = 120_000;

/** A limit for these messages that ordinary use does not reach. */
export function gasLimitFor(messages: readonly EncodeObject[]): number {
  return messages.reduce((sum, message) => sum + gasOf(message), BASE_GAS);
}

function gasOf({ typeUrl, value }: EncodeObject): number {
  switch (typeUrl) {
    case "/keel.derivatives.v1.MsgPlaceOrder":
      return orderGas(value as MsgPlaceOrder);
    case "/keel.derivatives.v1.MsgPlaceOco":
      return ordersGas((value as MsgPlaceOco).legs);
    case "/keel.derivatives.v1.MsgPlaceCombo":
      return (value as MsgPlaceCombo).legs.length * TAKING_GAS;
    case "/keel.derivatives.v1.MsgClearTrades": {
      const { documents, trades } = value as MsgClearTrades;
      return (documents.length + trades.length) * DOCUMENT_GAS;
    }
    case "/keel.derivatives.v1.MsgBatchOrders": {
      const { amendments, cancels, orders } = value as MsgBatchOrders;
      return cancels.length * CANCEL_GAS + amendments.length * TAKING_GAS + ordersGas(orders);
    }
    default:
      return gasByType[typeUrl] ?? OTHER_GAS;
  }
}

function ordersGas(orders: readonly NewOrder[]): number {
  return orders.reduce((sum, order) => sum + orderGas(order), 0);
}

/** What a waiting order does when it fires is the block's work, not the transaction's; only a TWAP's slices are paid for. */
function orderGas({
  postOnly,
  trigger,
  twap,
}: Pick<NewOrder, "postOnly" | "trigger" | "twap">): number {
  if (twap !== undefined) return POST_ONLY_GAS + twap.slices * SLICE_GAS;
  return postOnly || trigger !== undefined ? POST_ONLY_GAS : TAKING_GAS;
}

/** Reads "0.025ukeel"; undefined means transactions pay no fee. */
export function readGasPrice(text: string | undefined): GasPrice | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return GasPrice.fromString(text);
  } catch (error) {
    throw new KeelInputError(
      "invalid-option",
      "gasPrice",
      `expected a price like 0.025ukeel, got ${JSON.stringify(text)} (${(error as Error).message})`,
    );
  }
}

export function feeFor(gasLimit: number, price: GasPrice | undefined): StdFee {
  return price === undefined
    ? { amount: [], gas: gasLimit.toString() }
    : calculateFee(gasLimit, price);
}
