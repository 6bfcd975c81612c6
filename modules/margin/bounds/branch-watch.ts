/** Where a branch of state keeps its bounds, and how they learn of writes to accounts. */
import type { AccountId } from "../../kit/account-id.ts";
import type { MapCollection } from "../../kit/collections/schema.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import type { Account } from "../account-codec.ts";
import { touchPortfolio } from "../portfolio/held-markets.ts";
import type { CashBounds } from "./cash-bounds.ts";
import type { HealthBounds } from "./health-bounds.ts";

export const HEALTH: object = {};
export const CASH: object = {};
/** What the sides of markets are worth (waterfall/side-books.ts), found since the last look. */
export const SIDES: object = {};

/** Undefined: this branch has never looked. */
export function boundsOf(ctx: ReadContext): HealthBounds | undefined {
  return ctx.state.derived.get(HEALTH) as HealthBounds | undefined;
}

/** Undefined: this branch has never looked, or nobody has assets to back a debt. */
export function cashBoundsOf(ctx: ReadContext): CashBounds | undefined {
  return ctx.state.derived.get(CASH) as CashBounds | undefined;
}

/** Of what was found of sides only the accounts written since the last look are followed; with a look, or when it is undone, they are found anew. */
export function forgetSides(ctx: WriteContext): void {
  ctx.state.derived.delete(SIDES);
  ctx.state.onRevert(() => void ctx.state.derived.delete(SIDES));
}

/** The account is to be looked at: its requirement may have changed. */
export function touch(ctx: ReadContext, id: AccountId): void {
  boundsOf(ctx)?.touch(id);
  cashBoundsOf(ctx)?.touch(id);
  touchPortfolio(ctx, id);
}

/** The accounts, with every write told to the bounds. Undoing a write needs no word: who was touched once is looked at. */
export function watched(
  accounts: MapCollection<AccountId, Account>,
): MapCollection<AccountId, Account> {
  return {
    ...accounts,
    set(ctx, id, account) {
      accounts.set(ctx, id, account);
      touch(ctx, id);
    },
    delete(ctx, id) {
      accounts.delete(ctx, id);
      touch(ctx, id);
    },
  };
}
