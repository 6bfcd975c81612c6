/** What the vault offers to the rest of the chain, and the operations behind its messages. */
import {
  type Params,
  VaultMarketStatus as Status,
  type VaultMarketTerms,
} from "@keel/proto/gen/keel/vault/v1/types";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { PPM } from "../kit/math/mul-div.ts";
import { type Backstop, createBackstop } from "./backstop.ts";
import { createBeginBlock } from "./blocks.ts";
import { createCapital } from "./capital.ts";
import { createDeposits, type Deposits } from "./deposits.ts";
import { refuse } from "./errors.ts";
import { emitMarketSet } from "./events.ts";
import { MARKETS_MAX } from "./limits.ts";
import { STATUS_NAMES } from "./params.ts";
import type { VaultPorts } from "./ports.ts";
import { createQuoting } from "./quoting.ts";
import { marketAccount, type VaultState } from "./state.ts";
import { createValuer, type Valuer } from "./valuation.ts";
import { createWithdrawalQueue } from "./withdrawals.ts";

export interface VaultKeeper extends Deposits {
  params(ctx: ReadContext): Params;
  /** Terms of one market, all at once. Throws ModuleError to refuse. */
  setMarket(ctx: WriteContext, symbol: string, terms: VaultMarketTerms): void;
  beginBlock(ctx: WriteContext): void;
  /** Asked by margin. */
  readonly backstop: Backstop;
  readonly valuer: Valuer;
}

export function createKeeper(state: VaultState, ports: VaultPorts): VaultKeeper {
  const { ledger, venue } = ports;
  const valuer = createValuer(state, ports);
  const quoting = createQuoting(state, valuer, ports);
  const queue = createWithdrawalQueue(state, valuer, ports, quoting.cancelAll);
  const capital = createCapital(state, valuer, ports);

  function requireCapital(ctx: ReadContext, market: number, terms: VaultMarketTerms): void {
    let sum = terms.capitalPpm;
    let others = 0;
    state.markets.each(ctx, (id, record) => {
      if (id === market) return;
      sum += record.terms.capitalPpm;
      others += 1;
    });
    if (sum > PPM) {
      throw refuse("termsOutOfBounds", `expected capital of at most all, the markets ask ${sum}`);
    }
    if (others >= MARKETS_MAX) {
      throw refuse("tooManyMarkets", `expected at most ${MARKETS_MAX} markets`);
    }
  }

  return {
    ...createDeposits(state, valuer, ports),
    valuer,
    backstop: createBackstop(state, valuer, ports),
    beginBlock: createBeginBlock({ state, venue, capital, queue, quoting }),
    params: (ctx) => state.params.require(ctx),

    setMarket(ctx, symbol, terms) {
      const market = venue.marketId(ctx, symbol);
      const known = market === undefined ? undefined : venue.terms(ctx, market);
      if (market === undefined || known === undefined || known.tiers.length === 0) {
        throw refuse("unknownMarket", `no market "${symbol.slice(0, 40)}" that can be quoted`);
      }
      requireCapital(ctx, market, terms);
      const before = state.markets.get(ctx, market);
      const restarts =
        terms.status === Status.VAULT_MARKET_STATUS_QUOTING &&
        before?.terms.status !== Status.VAULT_MARKET_STATUS_QUOTING;
      const equity = ledger.health(ctx, marketAccount(market))?.equity ?? 0n;
      const contributed = restarts ? equity : (before?.contributed ?? 0n);
      state.markets.set(ctx, market, { market, terms, contributed });
      emitMarketSet(ctx, symbol, STATUS_NAMES[terms.status] ?? "");
    },
  };
}
