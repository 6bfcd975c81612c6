/**
 * Who bears the loss of markets that it has ended. They are swept together and by themselves, as expired ones are; each account that is settled leaves a note of what its positions had
 * gained and what it is worth beyond that. When all are settled and the queue says what is missing, the loss is shared over these notes, which no price moves any more, and
 * each pays its part, a bounded number per block. What a position had gained and its account has passed on in other markets is taken from the account all the same: it then
 * misses it in those, where it was lost.
 */

import type { MarketEnding } from "@keel/proto/gen/keel/margin/v1/settlement";
import type { HaircutClaim } from "@keel/proto/gen/keel/margin/v1/waterfall";
import {
  type AccountId,
  accountId,
  accountIdKey,
  numberOf,
  ownerOf,
} from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import { bytesToKey, keyToBytes } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { absolute, maximum, minimum } from "../../kit/math/mul-div.ts";
import type { Claims } from "../claims.ts";
import { noteCovered } from "../custody/solvency.ts";
import { maintenanceHealth, positionValue } from "../health/health.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import { type MarketViews, marketViews } from "../health/market-view.ts";
import { SETTLEMENT_ACCOUNTS_DEFAULT } from "../limits.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { forgetMarket, knownLosses, splitByMarket } from "./attribution.ts";
import { emitMarketLoss, emitMarketLossShare } from "./ending-events.ts";
import { type Losses, LossLedger } from "./losses.ts";
import { type Bearer, shareLoss } from "./share-math.ts";

interface SettledLots {
  readonly market: MarketId;
  readonly lots: bigint;
  readonly realised: bigint;
  readonly quantaPerLot: bigint;
}

interface Shared {
  readonly done: boolean;
  /** Whose part was more than what they had left. */
  readonly below: readonly AccountId[];
}

export interface EndingShares {
  /** The account's positions in ended markets have been settled. */
  note(ctx: WriteContext, id: AccountId, settled: readonly SettledLots[]): void;
  /** The block's part of sharing their loss, once everyone is settled. Done: nothing of the markets is left in the queue. */
  share(ctx: WriteContext, markets: readonly MarketId[]): Shared;
}

/** Empty cursor: everyone is. */
function isAfter(id: AccountId, cursor: Uint8Array): boolean {
  return cursor.length === 0 || accountIdKey.encode(id) > bytesToKey(cursor);
}

export function createEndingShares(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly claims: Claims;
  readonly losses: Losses;
  readonly addresses: Addresses;
  readonly name: (id: AccountId) => string;
}): EndingShares {
  const { state, markets, claims, losses, addresses, name } = parts;
  const { endings, shares } = state.waterfall;

  function missingOf(ctx: ReadContext, id: AccountId, views: MarketViews): bigint {
    const account = state.accounts.get(ctx, id);
    const health = account === undefined ? null : maintenanceHealth(account, views);
    if (health === null) return state.deficits.get(ctx, id)?.shortfall ?? 0n;
    return maximum(-health.equity, 0n);
  }

  /** What the queue misses in the markets, member by member. */
  function claimsOn(
    ctx: ReadContext,
    ended: readonly MarketId[],
    views: MarketViews,
  ): HaircutClaim[] {
    const found: HaircutClaim[] = [];
    state.deficits.each(ctx, (id) => {
      const parts = splitByMarket(missingOf(ctx, id, views), knownLosses(ctx, state, id));
      const missing = parts
        .filter(({ market }) => ended.includes(market))
        .reduce((sum, { amount }) => sum + amount, 0n);
      if (missing === 0n) return;
      const owner = addresses.format(ownerOf(id));
      found.push({ owner, subaccount: numberOf(id), missing: `${missing}` });
    });
    return found;
  }

  function begin(
    ctx: ReadContext,
    ending: MarketEnding,
    ended: readonly MarketId[],
    views: MarketViews,
  ): MarketEnding {
    const open = claimsOn(ctx, ended, views);
    const loss = open.reduce((sum, { missing }) => sum + BigInt(missing), 0n);
    return { ...ending, sharing: true, loss: `${loss}`, claims: open };
  }

  function bearers(ctx: ReadContext): Bearer<AccountId>[] {
    const found: Bearer<AccountId>[] = [];
    shares.each(ctx, (id, { gain, room, size }) => {
      found.push({ id, gain: BigInt(gain), room: BigInt(room), size: BigInt(size) });
    });
    return found;
  }

  /** Gives what is owed, in the order of claims; returns how much it was. */
  function payOut(
    ctx: WriteContext,
    from: AccountId,
    quanta: bigint,
    owed: Map<AccountId, bigint>,
    paid: Map<AccountId, bigint>,
  ): bigint {
    let left = quanta;
    for (const [claimant, missing] of owed) {
      if (left === 0n) break;
      const part = minimum(left, missing);
      if (part === 0n || claimant === from) continue;
      claims.give(ctx, from, claimant, part);
      noteCovered(ctx, state, claimant, part);
      if (part === missing) owed.delete(claimant);
      else owed.set(claimant, missing - part);
      paid.set(claimant, (paid.get(claimant) ?? 0n) + part);
      left -= part;
    }
    return quanta - left;
  }

  function report(ctx: WriteContext, paid: ReadonlyMap<AccountId, bigint>): void {
    for (const [id, quanta] of paid) {
      const ledger = new LossLedger("queue", quanta, losses.known(ctx, id));
      ledger.add("settlement", quanta);
      losses.close(ctx, id, ledger, "market");
    }
  }

  /** Notes go, a block's part at a time, and then the markets' part of the queue. */
  function clear(ctx: WriteContext, ended: readonly MarketId[], most: number): boolean {
    shares.deleteBelow(ctx, "\uffff", most);
    if (shares.size(ctx) > 0) return false;
    for (const market of ended) {
      forgetMarket(ctx, state, market);
      endings.delete(ctx, market);
    }
    return true;
  }

  /** Value of lots on the sides that have gained. */
  function sizeOf(ctx: ReadContext, settled: readonly SettledLots[]): bigint {
    let size = 0n;
    for (const { lots, market, quantaPerLot } of settled) {
      const sunk = BigInt(endings.get(ctx, market)?.sunkLots ?? "0");
      if (sunk !== 0n && lots > 0n !== sunk > 0n)
        size += absolute(lots) * maximum(quantaPerLot, 1n);
    }
    return size;
  }

  return {
    note(ctx, id, settled) {
      const account = state.accounts.get(ctx, id);
      assert(account !== undefined, "a settled account is gone");
      const views = marketViews(ctx, markets);
      const equity = maintenanceHealth(account, views)?.equity ?? maximum(account.collateral, 0n);
      // What it has lost elsewhere it has paid with this gain, too.
      let gross = equity;
      for (const position of account.positions) {
        const view = position.lots === 0n ? undefined : views(position.market);
        if (view !== undefined) gross += maximum(-positionValue(position, view), 0n);
      }
      const realised = settled.reduce((sum, one) => sum + one.realised, 0n);
      const gain = minimum(maximum(realised, 0n), maximum(gross, 0n));
      const room = maximum(equity - gain, 0n);
      if (gain === 0n && room === 0n) return;
      const size = sizeOf(ctx, settled);
      const share = { gain: `${gain}`, room: `${room}`, size: `${size}` };
      shares.set(ctx, id, { owner: "", subaccount: 0, ...share });
    },

    share(ctx, ended) {
      const [first = 0] = ended;
      const known = endings.get(ctx, first);
      assert(known !== undefined, "a loss is shared that has ended no market");
      const most =
        state.params.require(ctx).settlementAccountsPerBlockMax || SETTLEMENT_ACCOUNTS_DEFAULT;
      const views = marketViews(ctx, markets);
      const symbol = ended.map((market) => markets.terms(ctx, market)?.symbol ?? "").join(",");
      const ending = known.sharing ? known : begin(ctx, known, ended, views);
      const missing = BigInt(ending.loss);
      const all = bearers(ctx);
      // All have paid: what is left of their notes are the last ones to go.
      if (known.sharing && !all.some(({ id }) => isAfter(id, known.after))) {
        return { done: clear(ctx, ended, most), below: [] };
      }
      const sharing = shareLoss(missing, all);
      if (!known.sharing && missing > 0n) emitMarketLoss(ctx, symbol, missing, sharing);
      const owed = new Map<AccountId, bigint>();
      for (const claim of ending.claims) {
        const id = accountId(addresses.parse(claim.owner), claim.subaccount);
        owed.set(id, minimum(BigInt(claim.missing), missingOf(ctx, id, views)));
      }
      const paid = new Map<AccountId, bigint>();
      const below: AccountId[] = [];
      let last = ending.after;
      let count = 0;
      for (const [i, bearer] of all.entries()) {
        const borne = sharing.parts[i];
        if (borne === undefined || !isAfter(bearer.id, ending.after)) continue;
        if (count === most) break;
        count += 1;
        last = keyToBytes(accountIdKey.encode(bearer.id));
        const quanta = borne.byGain + borne.bySize;
        if (quanta === 0n) continue;
        const given = payOut(ctx, bearer.id, quanta, owed, paid);
        if ((state.accounts.get(ctx, bearer.id)?.collateral ?? 0n) < 0n) below.push(bearer.id);
        const shared = { bearer, borne, paid: given, sharing, missing };
        emitMarketLossShare(ctx, symbol, name(bearer.id), shared);
      }
      report(ctx, paid);
      const left = [...owed].map(([id, quanta]) => ({
        owner: addresses.format(ownerOf(id)),
        subaccount: numberOf(id),
        missing: `${quanta}`,
      }));
      endings.set(ctx, first, { ...ending, after: last, claims: left });
      const through = count < most && !all.some(({ id }) => isAfter(id, last));
      return { done: through && clear(ctx, ended, most), below };
    },
  };
}
