/** A batch: cancels, then amendments, then orders. Each stands for itself; one that is refused reports its code and leaves nothing behind. */
import type {
  MsgBatchOrders,
  MsgBatchOrdersResponse,
  NewOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { AccountId } from "../../kit/account-id.ts";
import { atomically } from "../../kit/atomically.ts";
import type { WriteContext } from "../../kit/context.ts";
import { ModuleError } from "../../kit/errors.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import type { TradingHand } from "../keys/trader.ts";
import { BATCH_AMENDMENTS_MAX, BATCH_CANCELS_MAX, BATCH_ORDERS_MAX } from "../limits.ts";
import type { Venue } from "../venue.ts";
import { parseRequest } from "./requests.ts";

export function checkBatch({ amendments, cancels, orders }: MsgBatchOrders): void {
  if (
    cancels.length > BATCH_CANCELS_MAX ||
    amendments.length > BATCH_AMENDMENTS_MAX ||
    orders.length > BATCH_ORDERS_MAX
  ) {
    throw refuse(
      "invalidRequest",
      `expected at most ${BATCH_CANCELS_MAX} cancels, ${BATCH_AMENDMENTS_MAX} amendments and ${BATCH_ORDERS_MAX} orders`,
    );
  }
  if (cancels.length + amendments.length + orders.length === 0) {
    throw refuse("invalidRequest", "empty batch");
  }
}

interface Outcome<T> {
  readonly code: number;
  readonly codespace: string;
  readonly log: string;
  readonly value: T | undefined;
}

/** Only expected refusals become results; running out of gas or a bug ends the message. */
function attempt<T>(ctx: WriteContext, work: (ctx: WriteContext) => T): Outcome<T> {
  try {
    return { code: 0, codespace: "", log: "", value: atomically(ctx, work) };
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    const { code, codespace, message } = error;
    return { code, codespace, log: message, value: undefined };
  }
}

export function runBatch(
  ctx: WriteContext,
  venue: Venue,
  keeper: TradingHand,
  account: AccountId,
  batch: MsgBatchOrders,
): MsgBatchOrdersResponse {
  const report = <T>(
    outcome: Outcome<T>,
    order: { readonly market: string; readonly clientId: string },
  ): Outcome<T> => {
    const { code, codespace, log } = outcome;
    const market = order.market.slice(0, 40);
    const clientId = order.clientId.slice(0, 40);
    if (code !== 0) {
      events.orderRefused(ctx, venue, { market, account, clientId, codespace, code, log });
    }
    return outcome;
  };
  return {
    cancels: batch.cancels.map((name) => {
      const outcome = report(
        attempt(ctx, (inner) => keeper.cancel(inner, account, name)),
        name,
      );
      const { code, codespace, log } = outcome;
      return { code, codespace, log, cancelled: outcome.value };
    }),
    amendments: batch.amendments.map((amendment) => {
      const outcome = report(
        attempt(ctx, (inner) => keeper.amend(inner, account, amendment)),
        amendment,
      );
      const { code, codespace, log } = outcome;
      return { code, codespace, log, amended: outcome.value };
    }),
    orders: batch.orders.map((order: NewOrder) => {
      const outcome = report(
        attempt(ctx, (inner) => keeper.place(inner, account, parseRequest(order))),
        order,
      );
      const { code, codespace, log } = outcome;
      return { code, codespace, log, placed: outcome.value };
    }),
  };
}
