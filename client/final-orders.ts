/**
 * Orders and cancels whose call ends with their fate, whatever the market does with them: at once, or, where it collects for an auction, when the auction has been
 * held. Each answers status, fills and reason in one form.
 */
import { type AuctionFate, awaitCancelled, awaitFate, isDecided } from "./auctions.ts";
import { formatDecimal, readDecimal } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";
import { INCLUSION_TIMEOUT_MS } from "./limits.ts";
import type { BatchRequest, TradingOption } from "./messages.ts";
import type { CancelRequest, OrderRequest } from "./orders.ts";
import type { BatchOutcome, WithTx } from "./outcomes.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import type { CancelledOrder, PlacedOrder } from "./tx-result.ts";

export interface FinalOptions extends SubmitOptions {
  /** In a market that is opening: wait for the auction that opens it, and not only for the end of this block. */
  readonly untilFilled?: boolean;
}

/** Places one order and says what became of it. A refused order throws KeelTxError. A market that collects asks for a client id. */
export async function placeFinal(
  client: KeelSigningClient,
  order: OrderRequest & TradingOption,
  options: FinalOptions = {},
): Promise<WithTx<PlacedOrder>> {
  const { tx, ...placed } = await client.place(order, options);
  return { ...(await finalOf(client, order, order, placed, tx.height, options)), tx };
}

/** As `batch`, with the fate of every order. */
export async function batchFinal(
  client: KeelSigningClient,
  request: BatchRequest,
  options: FinalOptions = {},
): Promise<WithTx<BatchOutcome>> {
  const outcome = await client.batch(request, options);
  const orders = await Promise.all(
    outcome.orders.map(async (item, at) => {
      const order = request.orders?.[at];
      if (!item.ok || order === undefined) return item;
      const fate = await finalOf(client, request, order, item, outcome.tx.height, options);
      return { ok: true as const, ...fate };
    }),
  );
  return { ...outcome, orders };
}

/** As `placeOco`, with the fate of both orders. */
export async function placeOcoFinal(
  client: KeelSigningClient,
  legs: readonly [OrderRequest, OrderRequest],
  options: TradingOption & FinalOptions = {},
): Promise<WithTx<{ readonly legs: readonly PlacedOrder[] }>> {
  const { tx, legs: placed } = await client.placeOco(legs, options);
  const fates = placed.map(async (leg, at) => {
    const order = legs[at] as OrderRequest;
    return await finalOf(client, options, order, leg, tx.height, options);
  });
  return { legs: await Promise.all(fates), tx };
}

/** Cancels one order and says what of it was taken out: where cancels wait for a round, once that is held. "0": it had been filled or was gone by then. */
export async function cancelFinal(
  client: KeelSigningClient,
  order: CancelRequest & TradingOption,
  options: SubmitOptions = {},
): Promise<WithTx<CancelledOrder>> {
  const cancelled = await client.cancel(order, options);
  const { round, tx } = cancelled;
  if (round === 0n) return cancelled;
  const { clientId, market, orderId, owner, subaccount = 0 } = order;
  const account = `${owner ?? client.address}/${subaccount}`;
  const found = await awaitCancelled(
    (at) => client.chain.blockEvents(at),
    { market, account, clientId, orderId },
    { fromHeight: tx.height, round, timeoutMs: options.timeoutMs ?? INCLUSION_TIMEOUT_MS },
  );
  return found === null ? cancelled : { ...cancelled, ...found };
}

async function finalOf(
  client: KeelSigningClient,
  { owner, subaccount = 0 }: TradingOption,
  order: OrderRequest,
  placed: PlacedOrder,
  height: number,
  { timeoutMs, untilFilled }: FinalOptions,
): Promise<PlacedOrder> {
  if (placed.status !== "collected") return placed;
  const { clientId, market } = order;
  if (clientId === undefined)
    throw new KeelInputError(
      "invalid-order",
      "clientId",
      "expected one where orders are collected",
    );
  const account = `${owner ?? client.address}/${subaccount}`;
  const fate = await awaitFate(
    (at) => client.chain.blockEvents(at),
    { market, account, clientId },
    {
      fromHeight: height,
      until: isDecided(placed, untilFilled === true),
      timeoutMs: timeoutMs ?? INCLUSION_TIMEOUT_MS,
    },
  );
  return placedOf(placed, fate);
}

/** An auction is one fill, whoever it was with. */
export function placedOf(placed: PlacedOrder, fate: AuctionFate): PlacedOrder {
  const isFilled = fate.filledSize !== "0";
  return {
    ...placed,
    status: fate.status,
    orderId: fate.orderId,
    filledSize: fate.filledSize,
    remainingSize: fate.remainingSize,
    averagePrice: fate.price,
    filledQuote: isFilled ? times(fate.filledSize, fate.price) : "0",
    fills: isFilled ? 1 : 0,
    fee: fate.fee,
    reason: fate.reason,
  };
}

function times(size: string, price: string): string {
  const a = readDecimal("size", size);
  const b = readDecimal("price", price);
  return formatDecimal({ digits: a.digits * b.digits, places: a.places + b.places });
}
