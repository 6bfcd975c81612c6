/**
 * Who of those short of margin at the marks is to be closed: with a second key, those who are short at the averages, too, or too far under water to wait. It is
 * a filter on whom the marks have found, so that bounds are not touched, and who waits stays in sight. Each is judged once a block, and only when somebody asks.
 */
import type { LadderTerms } from "@keel/proto/gen/keel/margin/v1/ladder";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { type DueReason, dueReason } from "./ladder-math.ts";
import type { AccountFigures } from "./liquidation-math.ts";
import type { Measures } from "./measures.ts";

/** An account short of margin at the marks. */
export interface Sick {
  readonly id: AccountId;
  readonly equity: bigint;
  readonly maintenance: bigint;
  /** The market blamed when the account's step fails outside any market's own step. */
  readonly market: MarketId;
}

interface Verdict {
  /** Null: there is no second key. */
  readonly averages: AccountFigures | null;
  /** Null: it waits. */
  readonly reason: DueReason | null;
}

export interface Due {
  judge(one: Sick): Verdict;
  /** As far as is known: who has not been asked about in this block is due while it is short of margin, and asked about up to `judgesMost` times. */
  isDue(id: AccountId): boolean;
}

/** `terms` undefined: everybody is due. */
export function createDue(
  ctx: WriteContext,
  parts: { readonly state: MarginState; readonly measures: Measures },
  terms: LadderTerms | undefined,
  sick: readonly Sick[],
  views: MarketViews,
  judgesMost: number,
): Due {
  const averages = terms === undefined ? null : parts.measures.averages(ctx, views);
  const verdicts = new Map<AccountId, Verdict>();
  let byId: Map<AccountId, Sick> | null = null;
  let judges = 0;

  function judge(one: Sick): Verdict {
    let verdict = verdicts.get(one.id);
    if (verdict === undefined) {
      const account = averages === null ? undefined : parts.state.accounts.get(ctx, one.id);
      const average =
        averages === null || account === undefined ? null : maintenanceHealth(account, averages);
      const reason = dueReason(one, average, terms?.fastLanePpm ?? 0n);
      verdict = { averages: average, reason };
      verdicts.set(one.id, verdict);
    }
    return verdict;
  }

  return {
    judge,
    isDue(id) {
      byId ??= new Map(sick.map((one) => [one.id, one]));
      const one = byId.get(id);
      if (one === undefined) return false;
      if (!verdicts.has(id)) judges += 1;
      return judges > judgesMost && !verdicts.has(id) ? true : judge(one).reason !== null;
    },
  };
}
