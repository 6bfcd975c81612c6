/** A loss and who bears it: a ledger whose lines sum to zero, published as one event. */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { minimum } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import type { Claims } from "../claims.ts";
import { emitDeficitCovered } from "../events.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { RiskClasses } from "./classes.ts";
import { emitLoss } from "./events.ts";
import type { Origin } from "./origins.ts";
import {
  originFromMessage,
  originOf,
  originToMessage,
  SHARED_ORIGIN,
  splitLoss,
} from "./origins.ts";
import type { WaterfallState } from "./state.ts";

/** Of one account: what was missing (negative), and who bore how much of it. Lines in the order they were added. */
export class LossLedger {
  readonly missing: bigint;
  readonly origin: Origin;
  readonly #lines = new Map<string, bigint>();

  constructor(source: "defaulter" | "queue", missing: bigint, origin: Origin) {
    assert(missing > 0n, `a loss must be positive, got ${missing}`);
    this.missing = missing;
    this.origin = origin;
    this.add(source, -missing);
  }

  add(bearer: string, quanta: bigint): void {
    if (quanta === 0n) return;
    this.#lines.set(bearer, (this.#lines.get(bearer) ?? 0n) + quanta);
  }

  get sum(): bigint {
    let sum = 0n;
    for (const quanta of this.#lines.values()) sum += quanta;
    return sum;
  }

  get lines(): readonly (readonly [string, bigint])[] {
    return [...this.#lines];
  }
}

export interface Losses {
  /** To be asked before anything of the account is closed. */
  origin(ctx: ReadContext, account: Account, views: MarketViews): Origin;
  /** Where an account in the deficit queue had its loss from. */
  known(ctx: ReadContext, id: AccountId): Origin;
  /** The funds pay into the account what they can of the rest of the ledger; returns what they paid. */
  pay(ctx: WriteContext, id: AccountId, ledger: LossLedger): bigint;
  /** Says who bore it, and remembers where what stays open came from. Throws AssertionError when the lines do not sum to zero. */
  close(
    ctx: WriteContext,
    id: AccountId,
    ledger: LossLedger,
    cause: "liquidation" | "settlement" | "queue",
  ): void;
  /** Nothing of it is open any more. */
  forget(ctx: WriteContext, id: AccountId): void;
}

export function createLosses(parts: {
  readonly state: WaterfallState;
  readonly classes: RiskClasses;
  readonly claims: Claims;
  readonly name: (id: AccountId) => string;
}): Losses {
  const { state, classes, claims, name } = parts;
  return {
    origin(ctx, account, views) {
      if (!classes.any(ctx)) return SHARED_ORIGIN;
      return originOf(account, views, (feedId) => classes.ofFeed(ctx, feedId));
    },

    known(ctx, id) {
      const known = state.origins.get(ctx, id);
      return known === undefined ? SHARED_ORIGIN : originFromMessage(known.classes);
    },

    pay(ctx, id, ledger) {
      const wanted = minimum(-ledger.sum, ledger.missing);
      if (wanted <= 0n) return 0n;
      let paid = 0n;
      for (const { bearer, riskClass, amount } of claims.cover(
        ctx,
        id,
        splitLoss(ledger.origin, wanted),
      )) {
        ledger.add(`${bearer}:${riskClass}`, amount);
        paid += amount;
      }
      if (paid > 0n) emitDeficitCovered(ctx, name(id), paid);
      return paid;
    },

    close(ctx, id, ledger, cause) {
      assert(ledger.sum === 0n, `the lines of a loss sum to ${ledger.sum}, not 0`);
      const { missing, origin, lines } = ledger;
      emitLoss(ctx, {
        account: name(id),
        cause,
        amount: missing,
        classes: splitLoss(origin, missing).map(({ riskClass, amount }) => [riskClass, amount]),
        lines,
      });
      if (cause === "queue" || !lines.some(([bearer]) => bearer === "queue")) return;
      // Of the shared fund alone there is nothing to remember.
      if (origin.every(({ riskClass }) => riskClass === "")) return;
      const kept = originToMessage(origin);
      state.origins.set(ctx, id, { owner: "", subaccount: 0, classes: kept });
    },

    forget(ctx, id) {
      if (state.origins.has(ctx, id)) state.origins.delete(ctx, id);
    },
  };
}
