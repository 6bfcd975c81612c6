/** Genesis of derivatives. Orders keep their ids, so priorities survive an export; what margin reserves for them is in its own genesis. */
import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type {
  CollectedCancel,
  CollectedOrder,
  DeadMan,
  MarketCounters,
  RestingOrder,
  TrailMark,
  WaitingOrder,
} from "@keel/proto/gen/keel/derivatives/v1/types";
import { accountId } from "../kit/account-id.ts";
import { withAuthority } from "../kit/authority.ts";
import type { WriteContext } from "../kit/context.ts";
import type { GenesisHooks } from "../kit/module.ts";
import { onGenesis } from "../kit/module.ts";
import { collectedKey, hasFired } from "./auction/collected.ts";
import { importedRounds } from "./auction/imported.ts";
import { cancelKeyOf } from "./auction/rounds.ts";
import { holderOf, priorityOf } from "./book/books.ts";
import { refuse } from "./errors.ts";
import { exportExternal, loadExternal } from "./external/genesis.ts";
import { exportFees, loadFees } from "./fees/genesis.ts";
import { initialFunding } from "./funding.ts";
import {
  checkInstruments,
  exportInstruments,
  loadLife,
  loadSettlements,
} from "./instruments/genesis.ts";
import { instrumentOf } from "./instruments.ts";
import { wellCounted } from "./keys/counting.ts";
import { exportGrants, loadGrants } from "./keys/genesis.ts";
import { isTrader } from "./keys/reach.ts";
import { LOTS_MAX, MARKETS_CEILING, TICKS_MAX } from "./limits.ts";
import { validateMarket, validateParams } from "./listing/terms.ts";
import { basisFault } from "./marking/median.ts";
import { checkClientId, sideOf } from "./orders/requests.ts";
import type { MarketId } from "./ports.ts";
import type { Venue } from "./venue.ts";
import { trailSide, trails, waitingKeyOf } from "./waiting/waiting-index.ts";

function requireThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw refuse("invalidRequest", `derivatives genesis: ${message}`);
}

export function derivativesGenesis(venue: Venue): GenesisHooks {
  const { addresses, books, state } = venue;
  return onGenesis({
    typeName: "keel.derivatives.v1.GenesisState",
    codec: GenesisState,
    init(ctx, genesis) {
      requireThat(genesis.params !== undefined, "no params");
      if (genesis.params.authority !== "") addresses.parse(genesis.params.authority);
      validateParams(genesis.params);
      state.params.set(ctx, withAuthority(genesis.params, addresses));
      requireThat(genesis.markets.length <= MARKETS_CEILING, "too many markets");
      if (genesis.ids !== undefined) state.ids.set(ctx, genesis.ids);
      loadSettlements(ctx, venue, genesis);
      let id = 0;
      // An export holds the settlement records; in a genesis written by hand the markets make them.
      const byHand = genesis.settlements.length === 0;
      for (const entry of genesis.markets) id = loadMarket(ctx, venue, { last: id, byHand }, entry);
      checkInstruments(ctx, venue);
      for (const order of genesis.orders) loadOrder(ctx, venue, order);
      const problem =
        loadExternal(ctx, venue, genesis) ??
        loadGrants(ctx, venue, genesis) ??
        loadFees(ctx, venue, genesis);
      requireThat(problem === null, problem ?? "");
      const { collectedCancels: cancels, collectedOrders: orders } = genesis;
      const pending = importedRounds({ cancels, orders }, ctx.header.height);
      for (const order of pending.orders) loadCollected(ctx, venue, order);
      for (const cancel of pending.cancels) loadCancel(ctx, venue, cancel);
      for (const order of genesis.waitingOrders) loadWaiting(ctx, venue, order);
      for (const mark of genesis.trailMarks) loadTrailMark(ctx, venue, mark);
      for (const order of genesis.waitingOrders) requireTrailed(ctx, venue, order);
      for (const record of genesis.deadMen) loadDeadMan(ctx, venue, record);
      books.forget(ctx);
      venue.waiting.forget(ctx);
    },
    export(ctx) {
      const markets: GenesisState["markets"] = [];
      state.markets.each(ctx, (id, market) => {
        markets.push({
          market,
          counters: state.counters.get(ctx, id),
          funding: state.funding.get(ctx, id),
          fundingHistory: state.fundingHistory.get(ctx, id),
          auction: state.auctions.get(ctx, id),
          markBasis: state.markBasis.get(ctx, id),
          stop: state.stops.get(ctx, id),
        });
      });
      const orders: RestingOrder[] = [];
      state.orders.each(ctx, (_key, order) => void orders.push(order));
      const collectedOrders: CollectedOrder[] = [];
      state.collected.each(ctx, (_key, order) => void collectedOrders.push(order));
      const collectedCancels: CollectedCancel[] = [];
      state.collectedCancels.each(ctx, (_key, cancel) => void collectedCancels.push(cancel));
      const waitingOrders: WaitingOrder[] = [];
      state.waiting.each(ctx, (_key, order) => void waitingOrders.push(order));
      const trailMarks: TrailMark[] = [];
      state.trailMarks.each(ctx, (_key, mark) => void trailMarks.push(mark));
      const deadMen: DeadMan[] = [];
      state.deadMen.each(ctx, (_account, record) => void deadMen.push(record));
      return {
        params: state.params.require(ctx),
        markets,
        orders,
        collectedOrders,
        collectedCancels,
        ...exportInstruments(ctx, venue),
        waitingOrders,
        trailMarks,
        deadMen,
        ...exportExternal(ctx, venue),
        ...exportGrants(ctx, venue),
        ...exportFees(ctx, venue),
      };
    },
  });
}

function loadMarket(
  ctx: WriteContext,
  venue: Venue,
  { last, byHand }: { readonly last: MarketId; readonly byHand: boolean },
  entry: GenesisState["markets"][number],
): MarketId {
  const { state } = venue;
  const { market, counters, funding, fundingHistory, auction, markBasis } = entry;
  requireThat(market !== undefined, "a market entry without market");
  const id = market.id === 0 ? last + 1 : market.id;
  requireThat(id > last, `expected a market id above ${last}, got ${id}`);
  validateMarket(market);
  requireThat(
    market.status >= 1 && market.status <= 7,
    `market ${market.symbol} has status ${market.status}`,
  );
  requireThat(!state.symbols.has(ctx, market.symbol), `market ${market.symbol} is listed twice`);
  state.symbols.set(ctx, market.symbol, id);
  loadLife(ctx, venue, { ...market, id }, byHand);
  if (entry.stop !== undefined) state.stops.set(ctx, id, entry.stop);
  if (counters !== undefined) state.counters.set(ctx, id, counters);
  if (market.linearPerpetual !== undefined) {
    state.funding.set(ctx, id, funding ?? initialFunding(ctx.header.timeNs));
    if (fundingHistory !== undefined) state.fundingHistory.set(ctx, id, fundingHistory);
  }
  if (markBasis !== undefined) {
    const fault =
      market.terms?.mark === undefined ? "no terms" : basisFault(markBasis, BigInt(TICKS_MAX));
    requireThat(fault === null, `market ${market.symbol} has a record of its mark: ${fault}`);
    state.markBasis.set(ctx, id, markBasis);
  }
  if (auction === undefined) return id;
  requireThat(
    market.terms?.auction !== undefined,
    `market ${market.symbol} has an auction state but no auction terms`,
  );
  requireThat(
    Number.isSafeInteger(Number(auction.openingMs)) &&
      Number.isSafeInteger(Number(auction.tradedMs)),
    `market ${market.symbol} has auction times out of range`,
  );
  state.auctions.set(ctx, id, auction);
  return id;
}

function loadOrder(ctx: WriteContext, { state }: Venue, order: RestingOrder): void {
  const side = sideOf(order.side);
  const counters: MarketCounters | undefined = state.counters.get(ctx, order.market);
  requireThat(
    side !== null &&
      order.owner.length === 20 &&
      isTrader(order.trader) &&
      order.priceTicks > 0n &&
      order.priceTicks <= BigInt(TICKS_MAX) &&
      order.remainingLots > 0n &&
      order.remainingLots <= BigInt(LOTS_MAX),
    `order ${order.id} is malformed`,
  );
  requireThat(
    counters !== undefined && order.id > 0n && order.id < counters.nextOrderId,
    `order ${order.id} has no market or a future id`,
  );
  requireThat(
    order.priority === 0n || (order.priority > order.id && order.priority < counters.nextOrderId),
    `order ${order.id} has a priority of no number given yet`,
  );
  const ticks = Number(order.priceTicks);
  queueExpiries(ctx, state, order);
  state.orders.set(ctx, { market: order.market, side, ticks, priority: priorityOf(order) }, order);
}

function queueExpiries(
  ctx: WriteContext,
  state: Venue["state"],
  order: Pick<RestingOrder, "market" | "id" | "goodTilMs" | "goodTilHeight">,
): void {
  const id = Number(order.id);
  const goodTilMs = Number(order.goodTilMs);
  const goodTilHeight = Number(order.goodTilHeight);
  requireThat(
    [id, goodTilMs, goodTilHeight].every(Number.isSafeInteger),
    `order ${order.id} is out of range`,
  );
  if (goodTilMs !== 0) state.expiries.set(ctx, [order.market, goodTilMs, id], true);
  if (goodTilHeight !== 0) state.heightExpiries.set(ctx, [order.market, goodTilHeight, id], true);
}

function loadWaiting(ctx: WriteContext, { state }: Venue, order: WaitingOrder): void {
  const counters = state.counters.get(ctx, order.market);
  requireThat(
    sideOf(order.side) !== null &&
      order.owner.length === 20 &&
      order.remainingLots > 0n &&
      order.remainingLots <= BigInt(LOTS_MAX) &&
      order.priceTicks <= BigInt(TICKS_MAX) &&
      order.triggerTicks <= BigInt(TICKS_MAX) &&
      order.reserveTicks <= BigInt(TICKS_MAX) &&
      order.kind >= 1 &&
      order.kind <= 4,
    `waiting order ${order.id} is malformed`,
  );
  const numbers = [order.id, order.dueSequence];
  requireThat(
    counters !== undefined && order.id > 0n && numbers.every((n) => n < counters.nextOrderId),
    `waiting order ${order.id} has no market or a future number`,
  );
  const timed = order.slices > 0;
  requireThat(
    timed === (order.kind === 4) && (!timed || (order.intervalMs > 0n && order.nextMs > 0n)),
    `waiting order ${order.id} has no times for its slices`,
  );
  requireThat(wellCounted(order), `waiting order ${order.id} counts for no trading key`);
  queueExpiries(ctx, state, order);
  state.waiting.set(ctx, waitingKeyOf(order), order);
}

function loadTrailMark(ctx: WriteContext, { state }: Venue, mark: TrailMark): void {
  const side = sideOf(mark.side);
  const { firstId, market, ticks } = mark;
  const listed = state.markets.get(ctx, market);
  // Zero is the mark of an option that is worth nothing, and of nothing else.
  const least = listed !== undefined && instrumentOf(listed).contract.option !== null ? 0n : 1n;
  requireThat(
    side !== null && ticks >= least && ticks <= BigInt(TICKS_MAX),
    `trail mark ${firstId} is malformed`,
  );
  state.trailMarks.set(ctx, [market, trailSide(side), Number(firstId)], mark);
}

/** A trailing stop follows some mark: one stored for itself or an order before it. */
function requireTrailed(ctx: WriteContext, { state }: Venue, order: WaitingOrder): void {
  if (!trails(order)) return;
  const side = trailSide(sideOf(order.side) === "buy" ? "buy" : "sell");
  let found = false;
  state.trailMarks.each(ctx, ([market, of, firstId]) => {
    found = market === order.market && of === side && firstId <= Number(order.id);
    return found;
  });
  requireThat(found, `trailing stop ${order.id} follows no mark`);
}

function loadDeadMan(ctx: WriteContext, { state }: Venue, record: DeadMan): void {
  const { deadlineMs, owner, queuedMs, subaccount } = record;
  requireThat(
    owner.length === 20 && queuedMs > 0n && queuedMs <= deadlineMs,
    "a dead man is malformed",
  );
  const account = accountId(owner, subaccount);
  state.deadMen.set(ctx, account, record);
  state.deadManQueue.set(ctx, [Number(queuedMs), account], true);
}

function loadCollected(ctx: WriteContext, { state }: Venue, order: CollectedOrder): void {
  const { market, clientId, priceTicks, lots, sizeLots } = order;
  checkClientId(clientId);
  checkClientId(order.pairClientId);
  requireThat(
    (clientId !== "" || hasFired(order.waiting)) &&
      sideOf(order.side) !== null &&
      order.owner.length === 20 &&
      isTrader(order.trader) &&
      priceTicks > 0n &&
      priceTicks <= BigInt(TICKS_MAX) &&
      lots > 0n &&
      lots <= sizeLots &&
      order.displayLots < sizeLots &&
      sizeLots <= BigInt(LOTS_MAX) &&
      Number.isSafeInteger(Number(order.goodTilMs)) &&
      Number.isSafeInteger(Number(order.round)),
    `collected order "${clientId}" is malformed`,
  );
  const terms = state.markets.get(ctx, market)?.terms;
  requireThat(
    terms?.auction !== undefined,
    `collected order "${clientId}" has no market that collects`,
  );
  const { waiting } = order;
  const next = state.counters.get(ctx, market)?.nextOrderId ?? 1n;
  requireThat(
    waiting === undefined ||
      (waiting.market === market &&
        holderOf(waiting) === holderOf(order) &&
        waiting.clientId === clientId &&
        waiting.side === order.side &&
        waiting.reduceOnly === order.reduceOnly &&
        waiting.remainingLots > 0n &&
        waiting.kind >= 1 &&
        waiting.kind <= 4 &&
        (waiting.kind === 4) === waiting.slices > 0 &&
        (waiting.kind !== 4 || (waiting.id === 0n && waiting.intervalMs > 0n)) &&
        waiting.id < next &&
        wellCounted(waiting)),
    `collected order "${clientId}" waits for no trigger of its own`,
  );
  const key = collectedKey(order);
  requireThat(!state.collected.has(ctx, key), `collected order "${clientId}" is there twice`);
  state.collected.set(ctx, key, order);
}

function loadCancel(ctx: WriteContext, { state }: Venue, cancel: CollectedCancel): void {
  const { clientId, market, orderId, owner, round } = cancel;
  if (clientId !== "") checkClientId(clientId);
  requireThat(
    owner.length === 20 &&
      Number.isSafeInteger(Number(round)) &&
      Number.isSafeInteger(Number(orderId)) &&
      (clientId === "" || orderId === 0n) &&
      state.markets.get(ctx, market)?.terms?.auction !== undefined,
    "a collected cancel is malformed, or its market holds no auctions",
  );
  const key = cancelKeyOf(cancel);
  requireThat(!state.collectedCancels.has(ctx, key), "a collected cancel is there twice");
  state.collectedCancels.set(ctx, key, cancel);
}
