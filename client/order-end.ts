/**
 * An order followed past its placing, for as long as it rests, waits or is collected, to its end: filled or gone, with all its fills on the way, as maker, as taker
 * or in an auction. Read from the events of blocks, of everybody's transactions too, from the block on that placed it.
 */
import { readUntil } from "./auctions.ts";
import { type Decimal, formatDecimal, formatMoney, MONEY_PLACES, readDecimal } from "./decimal.ts";
import { INCLUSION_TIMEOUT_MS } from "./limits.ts";
import type { TradingOption } from "./messages.ts";
import type { OrderRequest } from "./orders.ts";
import type { WithTx } from "./outcomes.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { PlacedOrder, TxEvent } from "./tx-result.ts";

export interface OrderEnd {
  readonly status: "filled" | "cancelled";
  /** 0: it left before it had one. */
  readonly orderId: bigint;
  /** Decimal text, of all its fills, those of its placing included. */
  readonly filledSize: string;
  /** filledQuote / filledSize to `AVERAGE_PLACES` places, rounded down; empty without fills. */
  readonly averagePrice: string;
  readonly filledQuote: string;
  readonly fills: number;
  /** Of all fills; negative when rebates were more. */
  readonly fee: string;
  /** Why it was cancelled; empty otherwise. */
  readonly reason: string;
  readonly height: number;
}

const AVERAGE_PLACES = 12;

/** An order on its way: what its blocks have said so far. Sizes in decimals, fees in quanta. */
export interface OrderPath {
  readonly market: string;
  /** "keel1…/0" */
  readonly account: string;
  readonly clientId: string;
  readonly orderId: bigint;
  /** Of what waits or was sent off by its trigger. */
  readonly left: Decimal;
  /** Its trigger sent it off, and it has not come to rest: nothing else says when it is filled. */
  readonly fired: boolean;
  readonly filled: Decimal;
  readonly quote: Decimal;
  readonly feeQuanta: bigint;
  readonly fills: number;
  readonly end: { readonly status: OrderEnd["status"]; readonly reason: string } | null;
}

const NOTHING: Decimal = { digits: 0n, places: 0 };

export function pathOf(
  order: Pick<OrderPath, "market" | "account" | "clientId" | "orderId">,
): OrderPath {
  return {
    ...order,
    left: NOTHING,
    fired: false,
    filled: NOTHING,
    quote: NOTHING,
    feeQuanta: 0n,
    fills: 0,
    end: null,
  };
}

/** After one more block, from all its events: those of its transactions, then the block's own. */
export function pathAfter(before: OrderPath, events: readonly TxEvent[]): OrderPath {
  let path = before;
  const inMarket = events
    .map(({ attributes, type }) => {
      const value: Value = (key) =>
        attributes.find((attribute) => attribute.key === key)?.value ?? "";
      return { type, value };
    })
    .filter(({ value }) => value("market") === before.market);
  for (const { type, value } of inMarket) path = pathAfterEvent(path, type, value);
  // A TWAP's slice is an order of its own in an auction; the event that names it comes behind its fill. The first may be of the block that gives the TWAP its id.
  const slices = inMarket
    .filter(({ type, value }) => type === "twap_slice" && value("order_id") === `${path.orderId}`)
    .map(({ value }) => value("slice_order_id"));
  for (const { type, value } of inMarket) {
    if (type === "auction_fill" && slices.includes(value("order_id")))
      path = filledBy(path, value, "fee");
  }
  const isFilled = path.end === null && path.fired && path.left.digits <= 0n;
  return isFilled ? { ...path, end: { status: "filled", reason: "" } } : path;
}

type Value = (key: string) => string;

function pathAfterEvent(path: OrderPath, type: string, value: Value): OrderPath {
  const id = `${path.orderId}`;
  if (type === "trade" && path.orderId !== 0n) {
    if (value("maker_order_id") === id) return filledBy(path, value, "maker_fee");
    return value("taker_order_id") === id ? filledBy(path, value, "taker_fee") : path;
  }
  // What has no id yet is known by its client id, until the event that tells the id.
  const named = path.clientId !== "" && value("client_id") === path.clientId;
  const own =
    path.orderId === 0n ? named && value("account") === path.account : value("order_id") === id;
  if (!own) return path;
  switch (type) {
    case "order_waiting":
      return { ...numbered(path, value), left: readDecimal("size", value("size")), fired: false };
    case "order_placed":
      return { ...numbered(path, value), fired: false };
    case "order_triggered":
      return { ...path, fired: true };
    case "order_reduced":
    case "order_amended":
      return { ...path, left: readDecimal("remaining", value("remaining")) };
    case "auction_fill":
      return filledBy(numbered(path, value), value, "fee");
    case "order_filled":
      return { ...path, end: { status: "filled", reason: "" } };
    case "order_accepted":
      // What was cancelled before, in the same block, had the client id before it.
      return { ...path, end: null };
    case "order_cancelled":
      if (value("order_id") !== id) return path;
      return { ...path, end: { status: "cancelled", reason: value("reason") } };
    default:
      return path;
  }
}

function numbered(path: OrderPath, value: Value): OrderPath {
  return { ...path, orderId: BigInt(value("order_id")) };
}

function filledBy(path: OrderPath, value: Value, fee: string): OrderPath {
  const size = readDecimal("size", value("size"));
  const price = readDecimal("price", value("price"));
  const cost = { digits: size.digits * price.digits, places: size.places + price.places };
  return {
    ...path,
    left: sum(path.left, { ...size, digits: -size.digits }),
    filled: sum(path.filled, size),
    quote: sum(path.quote, cost),
    feeQuanta: path.feeQuanta + quantaOf(value(fee)),
    fills: path.fills + 1,
  };
}

function sum(a: Decimal, b: Decimal): Decimal {
  const places = Math.max(a.places, b.places);
  const at = ({ digits, places: own }: Decimal): bigint => digits * 10n ** BigInt(places - own);
  return { digits: at(a) + at(b), places };
}

/** A maker's fee may be a rebate. */
function quantaOf(text: string): bigint {
  const isRebate = text.startsWith("-");
  const { digits, places } = readDecimal("fee", isRebate ? text.slice(1) : text);
  const quanta = digits * 10n ** BigInt(MONEY_PLACES - places);
  return isRebate ? -quanta : quanta;
}

export function endOf(path: OrderPath, height: number): OrderEnd | null {
  const { end, feeQuanta, filled, fills, orderId, quote } = path;
  if (end === null) return null;
  return {
    ...end,
    orderId,
    filledSize: formatDecimal(filled),
    averagePrice: fills === 0 ? "" : formatDecimal(quotient(quote, filled)),
    filledQuote: formatDecimal(quote),
    fills,
    fee: formatMoney(feeQuanta),
    height,
  };
}

function quotient(a: Decimal, b: Decimal): Decimal {
  const scaled = a.digits * 10n ** BigInt(b.places + AVERAGE_PLACES);
  return { digits: scaled / (b.digits * 10n ** BigInt(a.places)), places: AVERAGE_PLACES };
}

/**
 * Waits until nothing of an order that was placed is left. `order`: as it was sent; `placed`: what placing it answered, also for one of a batch, with the batch's
 * transaction. Throws KeelConnectionError ("not-included-in-time") after `timeoutMs` (a minute), which may be as long as the order may live; asking again begins
 * with the block that placed it. The node must still hold the results of all these blocks.
 */
export async function awaitEnd(
  client: KeelSigningClient,
  order: OrderRequest & TradingOption,
  placed: WithTx<PlacedOrder>,
  { timeoutMs = INCLUSION_TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
): Promise<OrderEnd> {
  const { orderId, tx } = placed;
  const { clientId = "", market, owner = client.address, subaccount = 0 } = order;
  let path = pathOf({ market, account: `${owner}/${subaccount}`, clientId, orderId });
  // What is filled at once has no event of its own.
  if (placed.status === "filled") path = { ...path, end: { status: "filled", reason: "" } };
  return await readUntil(
    async (height) => await client.chain.eventsAt(height),
    { fromHeight: tx.height, timeoutMs, what: `order ${clientId || orderId} has not ended` },
    (events, height) => {
      path = pathAfter(path, events);
      return endOf(path, height);
    },
  );
}
