/**
 * What one block made of each order of the accounts that are followed: one entry per order, with its state after the block. State tells what is
 * there; events tell why what is gone is gone, and of orders that came and went within the block.
 */
import { formatPrice, formatSize, type Instrument } from "@keel/modules/derivatives/instruments";
import type { AccountId } from "@keel/modules/kit/account-id";
import type { MarketEvent } from "./block-events.ts";
import { type PlacedPrint, stepsIn } from "./prints.ts";
import type { OpenOrder, OrderChange } from "./state-tables.ts";

export interface OrderUpdate {
  readonly market: string;
  /** "0": it has none yet, or was refused. */
  readonly order_id: string;
  /** Empty: none, or an order that was filled at once, whose event does not say. */
  readonly client_id: string;
  readonly status: "open" | "waiting" | "collected" | "filled" | "cancelled" | "refused";
  readonly side?: "buy" | "sell";
  readonly price?: string;
  /** In all, as it was placed. */
  readonly size?: string;
  readonly remaining: string;
  /** In this block. */
  readonly filled: string;
  /** Why it is cancelled, as the chain's event says; of a refused one the error's text. */
  readonly reason: string;
  readonly codespace?: string;
  readonly code?: number;
}

interface Followed {
  readonly change: OrderChange | null;
  clientId: string;
  filledLots: bigint;
  wasFilled: boolean;
  /** null: no event says that it was cancelled. */
  cancelled: string | null;
}

export interface OrderBlock {
  readonly changes: readonly OrderChange[];
  readonly events: readonly MarketEvent[];
  readonly prints: readonly PlacedPrint[];
}

export interface OrderLookup {
  readonly market: (id: number) => Instrument | undefined;
  readonly find: (symbol: string) => Instrument | undefined;
  /** "keel1…/0" of a followed account, else undefined. */
  readonly followed: (account: AccountId) => string | undefined;
  readonly isFollowed: (account: string) => boolean;
}

/** By account text. */
export function orderUpdates(block: OrderBlock, lookup: OrderLookup): Map<string, OrderUpdate[]> {
  const orders = new Map<string, Map<string, Followed>>();
  const refused = new Map<string, OrderUpdate[]>();
  const of = (account: string, market: string, id: string, clientId: string): Followed => {
    const mine = entry(orders, account, () => new Map<string, Followed>());
    return entry(mine, nameOf(market, id, clientId), () => ({
      change: null,
      clientId,
      filledLots: 0n,
      wasFilled: false,
      cancelled: null,
    }));
  };

  for (const change of block.changes) {
    const one = (change.after ?? change.before) as OpenOrder;
    const account = lookup.followed(one.account);
    const instrument = lookup.market(one.market);
    if (account === undefined || instrument === undefined) continue;
    const mine = entry(orders, account, () => new Map<string, Followed>());
    const { clientId } = one;
    const name = nameOf(instrument.symbol, one.id.toString(), clientId);
    mine.set(name, { change, clientId, filledLots: 0n, wasFilled: false, cancelled: null });
  }
  for (const { type, attributes } of block.events) {
    const account = attributes["account"] ?? "";
    if (!type.startsWith("order_") || !lookup.isFollowed(account)) continue;
    const { market = "", order_id: id = "0", client_id: clientId = "" } = attributes;
    if (type === "order_refused") {
      entry(refused, account, () => []).push(refusedOrder(attributes));
      continue;
    }
    const order = of(account, market, id, clientId);
    if (order.clientId === "") order.clientId = clientId;
    if (type === "order_filled") order.wasFilled = true;
    if (type === "order_cancelled") order.cancelled = attributes["reason"] ?? "";
  }
  for (const print of block.prints) {
    const instrument = lookup.find(print.symbol);
    if (instrument === undefined) continue;
    for (const { account, orderId } of print.parties) {
      if (orderId === "" || !lookup.isFollowed(account)) continue;
      of(account, print.symbol, orderId, "").filledLots += stepsIn(print.size, instrument.lot);
    }
  }
  const updates = new Map<string, OrderUpdate[]>();
  for (const [account, mine] of orders) {
    for (const [name, order] of mine) {
      const update = updateOf(name, order, lookup);
      if (update !== null) entry(updates, account, () => []).push(update);
    }
  }
  for (const [account, mine] of refused) entry(updates, account, () => []).push(...mine);
  return updates;
}

/** An order as it stands: for snapshots. */
export function openOrderView(instrument: Instrument, order: OpenOrder): OrderUpdate {
  return {
    market: instrument.symbol,
    order_id: order.id.toString(),
    client_id: order.clientId,
    status: order.status,
    side: order.side,
    ...(order.ticks === 0 ? {} : { price: formatPrice(instrument, order.ticks) }),
    size: formatSize(instrument, order.sizeLots),
    remaining: formatSize(instrument, order.lots),
    filled: "0",
    reason: "",
  };
}

function updateOf(name: string, order: Followed, lookup: OrderLookup): OrderUpdate | null {
  const [market = "", id = "0"] = name.split("\n");
  const instrument = lookup.find(market);
  if (instrument === undefined) return null;
  const filled = formatSize(instrument, order.filledLots);
  const after = order.change?.after ?? null;
  if (after !== null) return { ...openOrderView(instrument, after), filled };
  const before = order.change?.before ?? null;
  // What was collected goes on under its id.
  if (order.cancelled === null && before?.status === "collected" && before.id === 0) return null;
  const isFilled = order.cancelled === null && (order.wasFilled || order.filledLots > 0n);
  return {
    ...(before === null ? { market, order_id: id } : openOrderView(instrument, before)),
    client_id: order.clientId,
    status: isFilled ? "filled" : "cancelled",
    remaining: "0",
    filled,
    reason: order.cancelled ?? "",
  };
}

function refusedOrder(attributes: Readonly<Record<string, string>>): OrderUpdate {
  return {
    market: attributes["market"] ?? "",
    order_id: "0",
    client_id: attributes["client_id"] ?? "",
    status: "refused",
    remaining: "0",
    filled: "0",
    reason: attributes["log"] ?? "",
    codespace: attributes["codespace"] ?? "",
    code: Number(attributes["code"] ?? "0"),
  };
}

/** By id; collected ones, which have none, by client id. */
function nameOf(market: string, id: string, clientId: string): string {
  return id === "0" ? `${market}\n0\n${clientId}` : `${market}\n${id}`;
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
