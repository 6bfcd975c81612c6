/** What the laboratory sees of the chain in a block: markets with marks, and every account's equity, margin and lots. */
import type { Instrument } from "@keel/modules/derivatives/instruments";
import type { Mark } from "@keel/modules/derivatives/marking/mark";
import type { AccountId } from "@keel/modules/kit/account-id";
import type { ReadContext } from "@keel/modules/kit/context";
import type { Account } from "@keel/modules/margin/account-codec";
import type { Keel } from "@keel/node/app/app";
import type { KeelApplication } from "@keel/node/app/application";

export const UNIT = 1_000_000;

export interface SeenMarket {
  readonly instrument: Instrument;
  readonly mark: Mark;
}

export interface SeenAccount {
  readonly account: Account;
  /** Quanta. */
  readonly equity: bigint;
  readonly maintenance: bigint;
  readonly initial: bigint;
}

export interface Seen {
  readonly markets: ReadonlyMap<number, SeenMarket>;
  /** In the order asked for; undefined where there is none. */
  readonly accounts: readonly (SeenAccount | undefined)[];
  readonly pendingShortfall: bigint;
  readonly feesHeld: bigint;
  readonly netDeposits: bigint;
  readonly quarantined: readonly string[];
}

export function see(app: KeelApplication, ids: readonly AccountId[]): Seen {
  return app.look((keel, ctx) => {
    const totals = keel.margin.totals(ctx);
    const markets = seenMarkets(keel, ctx);
    return {
      markets,
      accounts: ids.map((id) => seenAccount(keel, ctx, id)),
      pendingShortfall: totals.pendingShortfall,
      feesHeld: totals.feesHeld,
      netDeposits: totals.netDeposits,
      quarantined: [...markets.values()].flatMap(({ instrument }) =>
        instrument.status === "quarantined" ? [instrument.symbol] : [],
      ),
    };
  });
}

function seenMarkets(keel: Keel, ctx: ReadContext): Map<number, SeenMarket> {
  const markets = new Map<number, SeenMarket>();
  for (const id of keel.derivatives.marketIds(ctx)) {
    const instrument = keel.derivatives.terms(ctx, id);
    const mark = keel.derivatives.mark(ctx, id);
    if (instrument !== undefined && mark !== undefined) markets.set(id, { instrument, mark });
  }
  return markets;
}

function seenAccount(keel: Keel, ctx: ReadContext, id: AccountId): SeenAccount | undefined {
  const account = keel.margin.account(ctx, id);
  const health = keel.margin.health(ctx, id);
  if (account === undefined || health === undefined) return undefined;
  const { equity, maintenance, initial } = health;
  return { account, equity, maintenance, initial };
}
