/** Collateral between sub-account 0 and the markets: each is kept at its share of the vault, and cut off when it has lost too much. */
import {
  VaultMarketStatus as Status,
  type VaultMarketStatus,
} from "@keel/proto/gen/keel/vault/v1/types";
import type { WriteContext } from "../kit/context.ts";
import { absolute, maximum, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import { attempt } from "./attempt.ts";
import { emitCapital, emitMarketStopped } from "./events.ts";
import { CAPITAL_TOLERANCE_PPM } from "./limits.ts";
import { STATUS_NAMES } from "./params.ts";
import type { VaultPorts } from "./ports.ts";
import type { VaultMarket } from "./records.ts";
import { IDLE_ACCOUNT, type VaultState } from "./state.ts";
import { isOpen, type MarketValuation, type Valuation, type Valuer } from "./valuation.ts";

export interface Capital {
  balance(ctx: WriteContext): void;
  /** The market goes to this status, and `reason` says why. */
  stop(ctx: WriteContext, record: VaultMarket, status: VaultMarketStatus, reason: string): void;
}

/** Works with capital of its own: on its share of the vault's equity. */
export function isCapitalised(status: VaultMarketStatus): boolean {
  return (
    status === Status.VAULT_MARKET_STATUS_QUOTING || status === Status.VAULT_MARKET_STATUS_STAND_BY
  );
}

/** What the market should have, quanta, rounded down. */
export function targetOf(record: VaultMarket, equity: bigint): bigint {
  if (!isCapitalised(record.terms.status)) return 0n;
  return mulDivDown(maximum(equity, 0n), record.terms.capitalPpm, PPM);
}

/**
 * Positive: to be put in; negative: to be taken out; zero within the tolerance. A market that works no more keeps its capital until its
 * position is closed: taking it out before would bring the rest near liquidation.
 */
export function capitalMove(
  market: Pick<MarketValuation, "equity" | "lots" | "record">,
  target: bigint,
  room: { readonly idle: bigint; readonly free: bigint },
): bigint {
  // What is owed below zero is the ladder's to settle: capital put in would pay it first.
  if (market.equity < 0n) return 0n;
  const current = market.equity;
  if (!isCapitalised(market.record.terms.status)) return market.lots === 0n ? -room.free : 0n;
  const lacking = target - current;
  const wanted = lacking > 0n ? minimum(lacking, room.idle) : -minimum(-lacking, room.free);
  const least = mulDivDown(maximum(target, current), CAPITAL_TOLERANCE_PPM, PPM);
  return absolute(wanted) > least ? wanted : 0n;
}

export function createCapital(
  state: VaultState,
  valuer: Valuer,
  { ledger, venue }: Pick<VaultPorts, "ledger" | "venue">,
): Capital {
  const symbolOf = (ctx: WriteContext, market: number): string =>
    venue.terms(ctx, market)?.symbol ?? market.toString();

  function stop(
    ctx: WriteContext,
    record: VaultMarket,
    status: VaultMarketStatus,
    reason: string,
  ): void {
    state.markets.set(ctx, record.market, { ...record, terms: { ...record.terms, status } });
    const market = symbolOf(ctx, record.market);
    emitMarketStopped(ctx, { market, status: STATUS_NAMES[status] ?? "", reason });
  }

  function hasLostTooMuch({ equity, record }: MarketValuation, target: bigint): boolean {
    const loss = record.contributed - equity;
    // Of what it had: a deposit that has just raised the target does not make an old loss smaller.
    const base = minimum(target, maximum(record.contributed, 0n));
    return isCapitalised(record.terms.status) && loss * PPM > base * record.terms.lossMaxPpm;
  }

  function move(ctx: WriteContext, market: MarketValuation, amount: bigint): void {
    const { account, record } = market;
    if (amount > 0n) ledger.transfer(ctx, IDLE_ACCOUNT, account, amount);
    else ledger.transfer(ctx, account, IDLE_ACCOUNT, -amount);
    const contributed = record.contributed + amount;
    state.markets.set(ctx, record.market, { ...record, contributed });
    emitCapital(ctx, symbolOf(ctx, record.market), amount);
  }

  /** An expired market has paid its positions: what is left is idle again, and the vault forgets it. */
  function leave(ctx: WriteContext, market: MarketValuation): bigint {
    const { account, record } = market;
    const free = ledger.freeCollateral(ctx, account);
    if (free > 0n) move(ctx, market, -free);
    state.markets.delete(ctx, record.market);
    state.estimates.delete(ctx, record.market);
    const symbol = symbolOf(ctx, record.market);
    emitMarketStopped(ctx, { market: symbol, status: "", reason: "expired" });
    return -free;
  }

  function balanceOne(ctx: WriteContext, market: MarketValuation, vault: Valuation): bigint {
    const { account, record, terms } = market;
    if (market.lots === 0n && (terms === undefined || terms.status === "settled")) {
      let taken = 0n;
      // Refused while what it held is gated: the vault forgets it later, and the rest of the block's work goes on.
      const refused = attempt(ctx, (inner) => {
        taken = leave(inner, market);
      });
      return refused === null ? taken : 0n;
    }
    const target = targetOf(record, vault.equity);
    if (hasLostTooMuch(market, target)) {
      stop(ctx, record, Status.VAULT_MARKET_STATUS_CLOSE_ONLY, "loss");
      return 0n;
    }
    const { short } = state.totals.require(ctx);
    // What insurance funds have paid for it they would take of what is put in.
    const shut = short || !isOpen(market) || ledger.owedToFunds(ctx, account) > 0n;
    const idle = shut ? 0n : maximum(vault.idle, 0n);
    const free = minimum(ledger.freeCollateral(ctx, account), maximum(market.equity, 0n));
    const amount = capitalMove(market, target, { idle, free });
    if (amount === 0n) return 0n;
    // Refused while the market is quarantined: it stays as it is.
    const refused = attempt(ctx, (inner) => move(inner, market, amount));
    return refused === null ? amount : 0n;
  }

  return {
    stop,
    balance(ctx) {
      const vault = valuer.all(ctx);
      // Whether a market has lost too much, and what its share is, is known at fresh prices only.
      if (!vault.priced) return;
      let { idle } = vault;
      for (const market of vault.markets) idle -= balanceOne(ctx, market, { ...vault, idle });
    },
  };
}
