/** What the vault is willing to take over from accounts that the book could not save. */
import { VaultMarketStatus as Status } from "@keel/proto/gen/keel/vault/v1/types";
import type { AccountId } from "../kit/account-id.ts";
import { bytesToKey } from "../kit/collections/codecs.ts";
import type { ReadContext } from "../kit/context.ts";
import { absolute, clamp, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import type { MarketId, VaultPorts } from "./ports.ts";
import { leverageWad, quoteTicks } from "./pricing.ts";
import type { VaultMarket } from "./records.ts";
import { IDLE_ACCOUNT, VAULT_ADDRESS, type VaultState } from "./state.ts";
import { isOpen, type MarketValuation, type Valuer } from "./valuation.ts";

export interface Backstop {
  /** It may take something over in this block. */
  ready(ctx: ReadContext): boolean;
  /** One of the vault's own sub-accounts. */
  isOwn(account: AccountId): boolean;
  /** Which sub-account takes a position (lots long positive) over, and how many of its lots, 0 to all; null: none. */
  offer(
    ctx: ReadContext,
    market: MarketId,
    lots: bigint,
  ): { readonly account: AccountId; readonly lots: bigint } | null;
  /** The same before it comes to that, at the price that the vault would quote: what it bids in an auction of liquidated positions. */
  bid(
    ctx: ReadContext,
    market: MarketId,
    lots: bigint,
  ): { readonly account: AccountId; readonly lots: bigint; readonly ticks: bigint } | null;
  /** Sub-account 0, once somebody has shares: where its part of penalties goes. */
  purse(ctx: ReadContext): AccountId | null;
}

function takesOver({ terms }: VaultMarket): boolean {
  return terms.status === Status.VAULT_MARKET_STATUS_QUOTING && terms.backstopLossPpm > 0n;
}

/** Lots on either side that the vault may hold of a market; rounded down. `vaultEquity` and the market's equity in quanta. */
export function inventoryMaxLots(
  market: Pick<MarketValuation, "equity" | "mark" | "record">,
  vaultEquity: bigint,
  openInterestLots: bigint,
): bigint {
  const { equity, mark, record } = market;
  const { terms } = record;
  if (equity <= 0n || vaultEquity <= 0n || mark === undefined || mark.quantaPerLot <= 0n) return 0n;
  const byLoss = mulDivDown(terms.backstopLossPpm, vaultEquity, terms.backstopRangePpm);
  const byLeverage = mulDivDown(terms.backstopLeverageMaxPpm, equity, PPM);
  const byValue = mulDivDown(minimum(byLoss, byLeverage), 1n, mark.quantaPerLot);
  return minimum(byValue, mulDivDown(terms.backstopOpenInterestPpm, openInterestLots, PPM));
}

export function createBackstop(
  state: VaultState,
  valuer: Valuer,
  { ledger }: Pick<VaultPorts, "ledger">,
): Backstop {
  const own = bytesToKey(VAULT_ADDRESS);

  /** Null: it takes nothing of this market now. */
  function roomFor(
    ctx: ReadContext,
    market: MarketId,
    lots: bigint,
  ): { readonly here: MarketValuation; readonly lots: bigint } | null {
    const record = state.markets.get(ctx, market);
    if (record === undefined || !takesOver(record)) return null;
    const vault = valuer.all(ctx);
    const here = vault.markets.find((one) => one.record.market === market);
    if (!vault.priced || here === undefined || !isOpen(here)) return null;
    const most = inventoryMaxLots(here, vault.equity, ledger.openInterestLots(ctx, market));
    // The vault's side of its bound: what it holds already counts, what it holds the other way makes room.
    const room = lots > 0n ? most - here.lots : most + here.lots;
    return { here, lots: clamp(room, 0n, absolute(lots)) };
  }

  return {
    isOwn: (account) => account.startsWith(own),
    ready(ctx) {
      if (state.totals.require(ctx).shares === 0n) return false;
      let ready = false;
      state.markets.each(ctx, (_market, record) => {
        ready = takesOver(record);
        return ready;
      });
      return ready;
    },
    offer(ctx, market, lots) {
      const room = roomFor(ctx, market, lots);
      return room === null ? null : { account: room.here.account, lots: room.lots };
    },
    bid(ctx, market, lots) {
      const room = roomFor(ctx, market, lots);
      const { equity, notional, record, reference } = room?.here ?? {};
      if (room === null || record === undefined || reference === undefined || room.lots === 0n)
        return null;
      if (equity === undefined || notional === undefined || equity <= 0n) return null;
      const pricing = {
        ...record.terms,
        referenceTicks: reference.ticks,
        spreadPpm: valuer.spread(ctx, record),
      };
      const side = lots > 0n ? "buy" : "sell";
      const ticks = quoteTicks(side, leverageWad(notional, equity), pricing);
      return ticks === null ? null : { account: room.here.account, lots: room.lots, ticks };
    },
    purse: (ctx) => (state.totals.require(ctx).shares === 0n ? null : IDLE_ACCOUNT),
  };
}
