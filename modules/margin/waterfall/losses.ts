/** A loss and who bears it: a ledger whose lines sum to zero, published as one event. */
import type { AccountId } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { minimum } from "../../kit/math/mul-div.ts";
import type { Account } from "../account-codec.ts";
import type { Claims } from "../claims.ts";
import { emitDeficitCovered } from "../events.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { MarginState } from "../state.ts";
import { noteAdvance } from "./advances.ts";
import { knownLosses, type Loss, standing } from "./attribution.ts";
import type { RiskClasses } from "./classes.ts";
import { emitLoss } from "./events.ts";
import type { Origin } from "./origins.ts";
import { originByClass, SHARED_ORIGIN, splitLoss } from "./origins.ts";

/** Of one account: what was missing (negative; nothing where only the rounding of what is closed is to be told), and who bore how much of it. Lines in the order they were added. */
export class LossLedger {
  readonly missing: bigint;
  readonly origin: Origin;
  readonly #lines = new Map<string, bigint>();

  constructor(source: "defaulter" | "queue", missing: bigint, origin: Origin) {
    assert(missing >= 0n, `a loss must not be negative, got ${missing}`);
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
    return [...this.#lines].filter(([, quanta]) => quanta !== 0n);
  }
}

export interface Losses {
  /** To be asked before anything of the account is closed: as it is remembered, or as it stands. */
  origin(ctx: ReadContext, id: AccountId, account: Account, views: MarketViews): Origin;
  /** Where an account in the deficit queue had its loss from. */
  known(ctx: ReadContext, id: AccountId): Origin;
  /** The funds pay into the account what they can of the rest of the ledger, and remember it where the account may gain; returns what they paid. */
  pay(ctx: WriteContext, id: AccountId, ledger: LossLedger): bigint;
  /** Says who bore it. Throws AssertionError when the lines do not sum to zero. */
  close(
    ctx: WriteContext,
    id: AccountId,
    ledger: LossLedger,
    cause: "liquidation" | "settlement" | "queue" | "market",
  ): void;
}

export function createLosses(parts: {
  readonly state: MarginState;
  readonly classes: RiskClasses;
  readonly claims: Claims;
  readonly name: (id: AccountId) => string;
}): Losses {
  const { state, classes, claims, name } = parts;
  const byClass = (ctx: ReadContext, lost: readonly Loss[]): Origin =>
    originByClass(lost, (market) => classes.of(ctx, market));
  return {
    origin(ctx, id, account, views) {
      if (!classes.any(ctx)) return SHARED_ORIGIN;
      const remembered = knownLosses(ctx, state, id);
      return byClass(ctx, remembered.length > 0 ? remembered : standing(account, views));
    },

    known: (ctx, id) =>
      classes.any(ctx) ? byClass(ctx, knownLosses(ctx, state, id)) : SHARED_ORIGIN,

    pay(ctx, id, ledger) {
      const wanted = minimum(-ledger.sum, ledger.missing);
      if (wanted <= 0n) return 0n;
      let paid = 0n;
      const payments = claims.cover(ctx, id, splitLoss(ledger.origin, wanted));
      noteAdvance(ctx, { name, state }, id, payments);
      for (const { bearer, riskClass, amount } of payments) {
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
    },
  };
}
