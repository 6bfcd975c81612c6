/** What the vault is worth at present marks: sub-account 0 and one sub-account per market, each counted once. */
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext } from "../kit/context.ts";
import { absolute, maximum } from "../kit/math/mul-div.ts";
import type { MarketTerms, MarkPrice, VaultPorts } from "./ports.ts";
import type { VaultMarket } from "./records.ts";
import type { SlippageTerms } from "./shares.ts";
import { IDLE_ACCOUNT, marketAccount, type VaultState } from "./state.ts";
import { sampleVolatilityPpm, spreadPpm, volatilityPpm } from "./volatility.ts";

export interface MarketValuation {
  readonly record: VaultMarket;
  readonly account: AccountId;
  /** At mark; may be negative. */
  readonly equity: bigint;
  /** Long positive. */
  readonly lots: bigint;
  /** lots at mark, quanta. */
  readonly notional: bigint;
  readonly mark: MarkPrice | undefined;
  /** What it quotes around: its own quotes are a part of the book, so nothing that the book says. */
  readonly reference: MarkPrice | undefined;
  readonly terms: MarketTerms | undefined;
}

export interface Valuation {
  readonly idle: bigint;
  /** Quanta; markets below zero count as zero. */
  readonly equity: bigint;
  readonly priced: boolean;
  readonly markets: readonly MarketValuation[];
}

export interface Valuer {
  all(ctx: ReadContext): Valuation;
  one(ctx: ReadContext, record: VaultMarket): MarketValuation;
  /** Of one sample of the market's mark, ppm. */
  volatility(ctx: ReadContext, record: VaultMarket): bigint;
  spread(ctx: ReadContext, record: VaultMarket): bigint;
  slippageTerms(ctx: ReadContext, market: MarketValuation): SlippageTerms;
}

/** Orders trade there, at a price of now. */
export function isOpen({ mark, terms }: Pick<MarketValuation, "mark" | "terms">): boolean {
  return mark?.fresh === true && (terms?.status === "active" || terms?.status === "closeOnly");
}

export function createValuer(
  state: VaultState,
  { ledger, oracle, venue }: Pick<VaultPorts, "ledger" | "oracle" | "venue">,
): Valuer {
  function one(ctx: ReadContext, record: VaultMarket): MarketValuation {
    const account = marketAccount(record.market);
    const known = ledger.account(ctx, account);
    const position = known?.positions.find(({ market }) => market === record.market);
    const lots = position?.lots ?? 0n;
    const mark = venue.mark(ctx, record.market);
    return {
      record,
      account,
      lots,
      mark,
      reference: venue.booklessMark(ctx, record.market),
      equity: known === undefined ? 0n : equityOf(ctx, account),
      notional: lots * (mark?.quantaPerLot ?? 0n),
      terms: venue.terms(ctx, record.market),
    };
  }

  /** Less what insurance funds take back of it at the end of the block. */
  function equityOf(ctx: ReadContext, account: AccountId): bigint {
    const equity = ledger.health(ctx, account)?.equity ?? 0n;
    const owed = ledger.owedToFunds(ctx, account);
    return equity <= 0n ? equity : maximum(equity - owed, 0n);
  }

  function volatility(ctx: ReadContext, { market, terms }: VaultMarket): bigint {
    if (terms.volatilityFeedId !== 0) {
      const price = oracle.price(ctx, terms.volatilityFeedId);
      if (price?.fresh === true) return sampleVolatilityPpm(price, terms.sampleMs);
    }
    return volatilityPpm(state.estimates.get(ctx, market)?.variance ?? 0n);
  }

  const spread = (ctx: ReadContext, record: VaultMarket): bigint =>
    spreadPpm(volatility(ctx, record), record.terms);

  return {
    one,
    volatility,
    spread,
    all(ctx) {
      const idle = ledger.account(ctx, IDLE_ACCOUNT)?.collateral ?? 0n;
      const markets: MarketValuation[] = [];
      state.markets.each(ctx, (_market, record) => void markets.push(one(ctx, record)));
      return {
        idle,
        markets,
        equity: markets.reduce((sum, { equity }) => sum + maximum(equity, 0n), idle),
        priced: markets.every((market) => market.lots === 0n || isOpen(market)),
      };
    },
    slippageTerms: (ctx, { equity, notional, record, terms }) => ({
      notional: absolute(notional),
      equity,
      spreadPpm: spread(ctx, record),
      skewPpm: record.terms.skewPpm,
      initialPpm: terms?.tiers[0]?.initialPpm ?? 0n,
    }),
  };
}
