/** What somebody does with orders that are there: the modules' own operations name them by luck, and most are gone. */
import { isBatch } from "@keel/modules/derivatives/auction/opening";
import { formatSize } from "@keel/modules/derivatives/instruments";
import { priceNear, type SimulatedMarket, someSize } from "@keel/modules/derivatives/simulate-kit";
import {
  QueryOrderBookRequest,
  QueryOrderBookResponse,
  QueryOrdersRequest,
  QueryOrdersResponse,
  QueryWaitingOrdersRequest,
  QueryWaitingOrdersResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  MsgAmendOrder,
  MsgBatchOrders,
  MsgCancelOrder,
  MsgPlaceCombo,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { type At, ask, one, type Planned, type SimulationOperation } from "./operation.ts";

const DERIVATIVES = "/keel.derivatives.v1.";

interface Named {
  readonly market: string;
  readonly orderId: bigint;
}

function resting(at: At): readonly Named[] {
  const { owner, subaccount } = at.account;
  const codecs = [QueryOrdersRequest, QueryOrdersResponse] as const;
  const question = { owner, subaccount, market: "" };
  const { orders } = ask(at, `${DERIVATIVES}Query/Orders`, codecs, question);
  return orders.filter(({ orderId }) => orderId !== 0n);
}

function waiting(at: At): readonly (Named & { readonly triggerPrice: string })[] {
  const { owner, subaccount } = at.account;
  const codecs = [QueryWaitingOrdersRequest, QueryWaitingOrdersResponse] as const;
  const question = { owner, subaccount, market: "" };
  return ask(at, `${DERIVATIVES}Query/WaitingOrders`, codecs, question).orders;
}

/** Null without any. */
function oneOf<T>(found: readonly T[], { random }: At): T | null {
  return found[random.below(Math.max(1, found.length))] ?? null;
}

function named(at: At, { market, orderId }: Named) {
  return { sender: at.account.owner, subaccount: at.account.subaccount, market, orderId };
}

function marketOf(at: At, { market }: Named): SimulatedMarket | null {
  return at.markets().find(({ instrument }) => instrument.symbol === market) ?? null;
}

function cancelled(at: At, order: Named | null): Planned | null {
  if (order === null) return null;
  return one(`${DERIVATIVES}MsgCancelOrder`, MsgCancelOrder.fromPartial(named(at, order)));
}

function amended(at: At, order: Named | null, changes: readonly string[]): Planned | null {
  const market = order === null ? null : marketOf(at, order);
  if (order === null || market === null) return null;
  const near = priceNear(market, at.random, 4000);
  const change = oneOf(changes, at);
  const value = MsgAmendOrder.fromPartial({
    ...named(at, order),
    ...(change === "size" ? {} : change === "trigger" ? { triggerPrice: near } : { price: near }),
    ...(change === "price" || change === "trigger" ? {} : { size: someSize(market, at.random) }),
  });
  return one(`${DERIVATIVES}MsgAmendOrder`, value);
}

/** One goes and another moves, in one message. */
function several(at: At): Planned | null {
  const [gone, moved] = resting(at);
  const market = moved === undefined ? null : marketOf(at, moved);
  if (gone === undefined || moved === undefined || market === null) return null;
  const amendment = {
    ...{ market: moved.market, orderId: moved.orderId },
    price: priceNear(market, at.random, 4000),
  };
  const value = MsgBatchOrders.fromPartial({
    ...{ sender: at.account.owner, subaccount: at.account.subaccount },
    cancels: [{ market: gone.market, orderId: gone.orderId }],
    amendments: [amendment],
  });
  return one(`${DERIVATIVES}MsgBatchOrders`, value);
}

/** Markets of so many are looked at for a combination. */
const LOOKED_AT = 8;

/** Which sides of its book somebody would take an order of; none where all trade at once or nobody does. */
function takers(at: At, { instrument }: SimulatedMarket): readonly (1 | 2)[] {
  if (instrument.status !== "active" || isBatch(instrument)) return [];
  const codecs = [QueryOrderBookRequest, QueryOrderBookResponse] as const;
  const question = { market: instrument.symbol, depth: 1 };
  const { asks, bids } = ask(at, `${DERIVATIVES}Query/OrderBook`, codecs, question);
  return [...(asks.length > 0 ? [1 as const] : []), ...(bids.length > 0 ? [2 as const] : [])];
}

/** As little as may be, in two books that have something for it. */
function combined(at: At): Planned | null {
  const { random } = at;
  const all = at.markets().filter(({ notionalPerLot }) => notionalPerLot > 0n);
  const from = random.below(Math.max(1, all.length));
  const looked = [...all.slice(from), ...all.slice(0, from)].slice(0, LOOKED_AT);
  const legs = [...all.slice(0, 2), ...looked].flatMap((market) => {
    const side = oneOf(takers(at, market), at);
    if (side === null) return [];
    const size = formatSize(market.instrument, 45_000_000n / market.notionalPerLot + 1n);
    return [{ market: market.instrument.symbol, side, size }];
  });
  const [first, second] = [legs.at(-1), legs.find(({ market }) => market !== legs.at(-1)?.market)];
  if (first === undefined || second === undefined) return null;
  const { owner: sender, subaccount } = at.account;
  const netLimit = random.below(3) === 0 ? "-500" : "500";
  const value = MsgPlaceCombo.fromPartial({ sender, subaccount, legs: [first, second], netLimit });
  return one(`${DERIVATIVES}MsgPlaceCombo`, value);
}

export const orderOperations: readonly SimulationOperation[] = [
  {
    name: "cancel what rests",
    weight: 10,
    create: (at) => cancelled(at, oneOf(resting(at), at)),
  },
  {
    name: "cancel what waits",
    weight: 4,
    create: (at) => cancelled(at, oneOf(waiting(at), at)),
  },
  {
    name: "amend what rests",
    weight: 14,
    create: (at) => amended(at, oneOf(resting(at), at), ["price", "size", "both"]),
  },
  {
    name: "amend a stop",
    weight: 6,
    create(at) {
      const priced = waiting(at).filter(({ triggerPrice }) => triggerPrice !== "");
      return amended(at, oneOf(priced, at), ["trigger", "size"]);
    },
  },
  { name: "cancel one and amend another", weight: 4, create: several },
  { name: "combination of two", weight: 8, create: combined },
];
