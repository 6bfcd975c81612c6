/** The vault's own work in a block, at its beginning: prices are in, and nobody has traded at them yet. */
import { VaultMarketStatus as Status } from "@keel/proto/gen/keel/vault/v1/types";
import { contained } from "../kit/contained.ts";
import type { WriteContext } from "../kit/context.ts";
import type { Capital } from "./capital.ts";
import { nowMs } from "./deposits.ts";
import { emitFault } from "./events.ts";
import type { VaultPorts } from "./ports.ts";
import type { Quoting } from "./quoting.ts";
import type { VaultMarket } from "./records.ts";
import type { VaultState } from "./state.ts";
import { nextVariance, squaredReturn, weightOf } from "./volatility.ts";
import type { WithdrawalQueue } from "./withdrawals.ts";

interface Parts {
  readonly state: VaultState;
  readonly venue: VaultPorts["venue"];
  readonly capital: Capital;
  readonly queue: WithdrawalQueue;
  readonly quoting: Quoting;
}

/** One sample of the mark, when it is time; a first one only remembers it. */
function sample(ctx: WriteContext, { state, venue }: Parts, record: VaultMarket): void {
  const { market, terms } = record;
  const mark = venue.mark(ctx, market);
  if (mark?.fresh !== true || mark.ticks <= 0n) return;
  const now = nowMs(ctx);
  const before = state.estimates.get(ctx, market);
  if (before === undefined) {
    state.estimates.set(ctx, market, {
      market,
      variance: 0n,
      markTicks: mark.ticks,
      sampledMs: now,
    });
    return;
  }
  if (now < before.sampledMs + terms.sampleMs) return;
  const square = squaredReturn(before.markTicks, mark.ticks);
  const variance = nextVariance(before.variance, square, weightOf(terms.sampleWeightPpm));
  state.estimates.set(ctx, market, { market, variance, markTicks: mark.ticks, sampledMs: now });
}

function active(ctx: WriteContext, state: VaultState): VaultMarket[] {
  const records: VaultMarket[] = [];
  state.markets.each(ctx, (_market, record) => void records.push(record));
  return records;
}

function eachMarket(
  ctx: WriteContext,
  parts: Parts,
  step: (ctx: WriteContext, record: VaultMarket) => void,
): void {
  const records = active(ctx, parts.state);
  // Another market is first in every block, so that none waits for ever behind the bound on quotes.
  const from = records.length === 0 ? 0 : ctx.header.height % records.length;
  for (const record of [...records.slice(from), ...records.slice(0, from)]) {
    const fault = contained(ctx, (inner) => step(inner, record));
    if (fault === null) continue;
    parts.capital.stop(ctx, record, Status.VAULT_MARKET_STATUS_DEACTIVATED, fault);
  }
}

export function createBeginBlock(parts: Parts): (ctx: WriteContext) => void {
  const { capital, queue, quoting, state } = parts;
  return (ctx) => {
    if (state.totals.require(ctx).shares === 0n) return;
    eachMarket(ctx, parts, (inner, record) => sample(inner, parts, record));
    const fault = contained(ctx, (inner) => {
      queue.process(inner);
      capital.balance(inner);
    });
    if (fault !== null) emitFault(ctx, fault);
    let left = state.params.require(ctx).quotesPerBlockMax;
    eachMarket(ctx, parts, (inner, record) => {
      left -= quoting.refresh(inner, record, left);
    });
  };
}
