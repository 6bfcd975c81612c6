/**
 * Settlement of expired markets, and of those that a loss has ended: one pass over the accounts with positions, in key order, for all markets that were ready when it began; a
 * cursor in state carries it over blocks, each bounded by accounts visited and positions settled. Every lot of a market is settled
 * at one value fixed before the pass, the market does not trade meanwhile, and its lots need no margin, so where in the order an
 * account stands changes nobody's money. Markets that become ready during a pass wait for the next one.
 */
import { type AccountId, accountIdKey } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import { bytesToKey, keyToBytes } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { maximum, minimum } from "../../kit/math/mul-div.ts";
import { emptyLedger } from "../account-codec.ts";
import type { Claims } from "../claims.ts";
import { contained } from "../contained.ts";
import { noteExit } from "../custody/gates.ts";
import { noteCovered } from "../custody/solvency.ts";
import { emitPositionSettled } from "../events.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import { marketViews } from "../health/market-view.ts";
import {
  SETTLEMENT_ACCOUNTS_DEFAULT,
  SETTLEMENT_POSITIONS_DEFAULT,
  SWEEP_CLOSES_PER_BLOCK_MAX,
  SWEEP_MARKETS_MAX,
} from "../limits.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { noteLosses } from "../waterfall/attribution.ts";
import type { EndingShares } from "../waterfall/ending-shares.ts";
import { hasEnded } from "../waterfall/endings.ts";
import { emitGainsHaircut } from "../waterfall/events.ts";
import { HaircutBook, netGain } from "../waterfall/gains-haircut.ts";
import { type Losses, LossLedger } from "../waterfall/losses.ts";
import { changeLedger, type LedgerChange } from "./fill.ts";
import {
  amountsOf,
  type Ending,
  type Endings,
  holdsLots,
  type SettledAccount,
  settleAccount,
} from "./settled-account.ts";

export interface Settlements {
  /** A sweep is under way or could begin. */
  pending(ctx: ReadContext): boolean;
  /** The block's part of it. Returns accounts that hold nothing any more and are below zero. */
  run(ctx: WriteContext): readonly AccountId[];
}

export function createSettlements(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly claims: Claims;
  readonly losses: Losses;
  readonly shares: EndingShares;
  readonly addresses: Addresses;
  readonly name: (id: AccountId) => string;
}): Settlements {
  const { state, markets, claims, losses, shares, addresses, name } = parts;

  /** Begins a sweep over what is ready; false when nothing is. */
  function begin(ctx: WriteContext): boolean {
    const settleable = markets.settleable(ctx);
    if (settleable.length === 0) return false;
    // What a loss has ended is settled by itself, and together: as soon as all of it can be.
    const ended = settleable.filter((market) => hasEnded(ctx, state, market));
    const whole = ended.length > 0 && ended.length === endedIn(ctx);
    const ready = whole ? ended : settleable.filter((market) => !ended.includes(market));
    if (ready.length === 0) return false;
    for (const market of ready.slice(0, SWEEP_MARKETS_MAX))
      state.sweepMarkets.set(ctx, market, true);
    state.sweep.set(ctx, {
      after: new Uint8Array(0),
      closing: false,
      second: false,
      gains: [],
      claims: [],
      haircutPpm: whole ? 0 : (state.waterfall.params.get(ctx)?.gainsHaircutPpm ?? 0),
    });
    return true;
  }

  /** Read once per market and block. */
  function endingsOf(ctx: ReadContext): Endings {
    const known = new Map<MarketId, Ending | null>();
    return (market) => {
      let ending = known.get(market);
      if (ending === undefined) {
        ending = endingOf(ctx, market);
        known.set(market, ending);
      }
      return ending;
    };
  }

  function endingOf(ctx: ReadContext, market: MarketId): Ending | null {
    if (!state.sweepMarkets.has(ctx, market)) return null;
    const terms = markets.terms(ctx, market);
    const value = markets.settlementValue(ctx, market);
    return terms?.status === "settling" && value !== undefined
      ? { symbol: terms.symbol, value, fundingIndex: markets.fundingIndex(ctx, market) }
      : null;
  }

  /** Settles accounts after the cursor, inside the block's bounds. */
  function visit(ctx: WriteContext, after: Uint8Array): AccountId[] {
    const params = state.params.require(ctx);
    const accountsMax = params.settlementAccountsPerBlockMax || SETTLEMENT_ACCOUNTS_DEFAULT;
    const positionsMax = params.settlementPositionsPerBlockMax || SETTLEMENT_POSITIONS_DEFAULT;
    const ids: AccountId[] = [];
    const from = after.length === 0 ? "" : `${bytesToKey(after)}\0`;
    state.active.eachBetween(ctx, from, undefined, (id) => ids.push(id) >= accountsMax);
    let endings = endingsOf(ctx);
    const changes = new Map<MarketId, LedgerChange[]>();
    const below: AccountId[] = [];
    const book = new HaircutBook(state.sweep.require(ctx), addresses);
    const kept = new Map<AccountId, bigint>();
    const ended = endedMarkets(ctx).length > 0;
    let positions = 0;
    let last: AccountId | undefined;
    for (const id of ids) {
      const account = state.accounts.get(ctx, id);
      assert(account !== undefined, "an active account has no record");
      let paid = settleAccount(account, endings);
      // A whole account or nothing of it: the next block begins with it.
      if (paid !== null && positions > 0 && positions + paid.settled.length > positionsMax) break;
      if (paid !== null && book.waits(amountsOf(paid))) {
        positions += paid.settled.length;
        book.noteGains(amountsOf(paid));
        last = id;
        continue;
      }
      while (paid !== null && !pay(ctx, id, paid)) {
        // A market was stopped by a fault: the account is settled in the others.
        endings = endingsOf(ctx);
        paid = settleAccount(account, endings);
      }
      last = id;
      if (paid === null) continue;
      positions += paid.settled.length;
      for (const { position, change } of paid.settled) {
        const known = changes.get(position.market);
        if (known === undefined) changes.set(position.market, [change]);
        else known.push(change);
      }
      const [first] = paid.settled;
      if (ended && first !== undefined) {
        const lots = paid.settled.map(({ change, ending, position }) => ({
          market: position.market,
          lots: position.lots,
          realised: change.realised,
          quantaPerLot: ending.value,
        }));
        contained(ctx, markets, first.position.market, (step) => shares.note(step, id, lots));
      }
      if (book.second && first !== undefined) {
        const done = paid;
        contained(ctx, markets, first.position.market, (step) =>
          keepPart(step, id, done, book, kept),
        );
      }
      if (!isBelow(ctx, id)) continue;
      below.push(id);
      const missing = book.on && !book.second ? missingOf(ctx, id) : 0n;
      if (missing > 0n) book.noteMissing(id, missing, amountsOf(paid));
    }
    reportKept(ctx, kept);
    writeLedgers(ctx, changes);
    const through = ids.length < accountsMax && last === ids[ids.length - 1];
    const reached = last === undefined ? after : keyToBytes(accountIdKey.encode(last));
    const sweep = { ...state.sweep.require(ctx), ...book.kept(addresses) };
    if (through && book.on && !book.second) {
      state.sweep.set(ctx, { ...sweep, after: new Uint8Array(0), second: true });
    } else state.sweep.set(ctx, { ...sweep, after: reached, closing: through });
    return below;
  }

  /** Writes one account. A fault stops its first market; the account stays as it was. */
  function pay(ctx: WriteContext, id: AccountId, { account, settled }: SettledAccount): boolean {
    const blamed = settled[0]?.position.market;
    assert(blamed !== undefined, "nothing to settle");
    return contained(ctx, markets, blamed, (step) => {
      state.accounts.set(step, id, account);
      const flat = !holdsLots(account);
      if (flat) state.active.delete(step, id);
      for (const { position, ending, change } of settled) {
        emitPositionSettled(step, {
          account: name(id),
          market: ending.symbol,
          lots: position.lots,
          valuePerLot: ending.value,
          amount: change.realised,
        });
        noteExit(step, state, { id, market: position.market });
      }
      if (!flat || account.collateral >= 0n) return;
      noteLosses(
        step,
        state,
        id,
        amountsOf({ account, settled }).map(({ market, realised }) => {
          return { market, amount: -realised };
        }),
      );
      // What its assets back is no deficit: they are converted at the end of the block. And what stood in the queue with the position open is no new loss.
      if (account.assets.length > 0) return;
      if (state.deficits.has(step, id) && hasEnded(step, state, blamed)) return;
      const missing = -account.collateral;
      const ledger = new LossLedger("defaulter", missing, losses.known(step, id));
      losses.pay(step, id, ledger);
      ledger.add("queue", -ledger.sum);
      losses.close(step, id, ledger, "settlement");
    });
  }

  /** Keeps the market's share of a gain just paid out, for those who could not pay, and never more than would leave the account below zero. */
  function keepPart(
    ctx: WriteContext,
    id: AccountId,
    paid: SettledAccount,
    book: HaircutBook,
    kept: Map<AccountId, bigint>,
  ): void {
    const cut = book.cut(amountsOf(paid));
    const account = state.accounts.get(ctx, id);
    if (cut === null || account === undefined) return;
    const equity = maintenanceHealth(account, marketViews(ctx, markets))?.equity ?? 0n;
    const most = minimum(cut.quanta, maximum(equity, 0n));
    let left = most;
    for (const [claimant, owed] of book.claims) {
      if (left === 0n) break;
      const missing = missingOf(ctx, claimant);
      const part = minimum(minimum(left, owed), missing);
      if (part > 0n) {
        claims.give(ctx, id, claimant, part);
        noteCovered(ctx, state, claimant, part);
        kept.set(claimant, (kept.get(claimant) ?? 0n) + part);
        left -= part;
      }
      // The funds may have paid it meanwhile.
      book.settle(claimant, part === missing ? owed : part);
    }
    if (left === most) return;
    const { market, marketGains, marketMissing } = cut;
    emitGainsHaircut(ctx, {
      account: name(id),
      gain: netGain(amountsOf(paid)),
      kept: most - left,
      market: markets.terms(ctx, market)?.symbol ?? "",
      marketGains,
      marketMissing,
      capPpm: book.capPpm,
    });
  }

  function reportKept(ctx: WriteContext, kept: ReadonlyMap<AccountId, bigint>): void {
    for (const [id, quanta] of kept) {
      const ledger = new LossLedger("queue", quanta, losses.known(ctx, id));
      ledger.add("haircut", quanta);
      losses.close(ctx, id, ledger, "queue");
    }
  }

  /** What neither its cash nor its assets cover: these are sold before anybody's gain is cut. 0 while they cannot be valued. */
  function missingOf(ctx: ReadContext, id: AccountId): bigint {
    const account = state.accounts.get(ctx, id);
    if (account === undefined) return 0n;
    if (account.assets.length === 0) return maximum(-account.collateral, 0n);
    return maximum(-(maintenanceHealth(account, marketViews(ctx, markets))?.equity ?? 0n), 0n);
  }

  function isBelow(ctx: ReadContext, id: AccountId): boolean {
    const account = state.accounts.get(ctx, id);
    return account !== undefined && account.collateral < 0n && !holdsLots(account);
  }

  /** One write per market and one of the totals, whatever the number of positions. */
  function writeLedgers(ctx: WriteContext, changes: ReadonlyMap<MarketId, LedgerChange[]>): void {
    let realised = 0n;
    for (const [market, parts] of changes) {
      const ledger = state.ledgers.get(ctx, market) ?? emptyLedger(market);
      state.ledgers.set(ctx, market, changeLedger(ledger, ...parts));
      for (const part of parts) realised += part.realised;
    }
    if (realised === 0n) return;
    const totals = state.totals.require(ctx);
    state.totals.set(ctx, { ...totals, collateral: totals.collateral + realised });
  }

  /** Every account was visited: the markets are closed, a bounded number per block. */
  function close(ctx: WriteContext): void {
    const ids: MarketId[] = [];
    state.sweepMarkets.each(ctx, (market) => ids.push(market) >= SWEEP_CLOSES_PER_BLOCK_MAX);
    for (const market of ids) {
      contained(ctx, markets, market, (step) => closeMarket(step, market));
      state.sweepMarkets.delete(ctx, market);
    }
    if (state.sweepMarkets.size(ctx) === 0) state.sweep.delete(ctx);
  }

  function closeMarket(ctx: WriteContext, market: MarketId): void {
    // Stopped on the way: what is left of it is settled when the authority lets it go on.
    if (markets.terms(ctx, market)?.status !== "settling") return;
    const ledger = state.ledgers.get(ctx, market);
    if (ledger !== undefined) {
      const { openQuote, fundingWeight, realised, positions } = ledger;
      const left = positions !== 0n || openQuote !== 0n || fundingWeight !== 0n || realised !== 0n;
      assert(!left, `market ${market} is not empty after its settlement`);
      state.ledgers.delete(ctx, market);
    }
    markets.settled(ctx, market);
  }

  /** Markets that losses have ended and that are being settled, in this sweep or soon. */
  function endedIn(ctx: ReadContext): number {
    let count = 0;
    state.waterfall.endings.each(ctx, (market, { endedHeight }) => {
      if (endedHeight > 0n && markets.terms(ctx, market)?.status === "settling") count += 1;
    });
    return count;
  }

  /** Those of this sweep; none: it settles markets that have expired. */
  function endedMarkets(ctx: ReadContext): MarketId[] {
    const found: MarketId[] = [];
    if (state.waterfall.endings.size(ctx) === 0) return found;
    state.sweepMarkets.each(ctx, (market) => {
      if (hasEnded(ctx, state, market)) found.push(market);
    });
    return found;
  }

  /**
   * Everyone is settled: from the block after that on, when the queue says what is missing, it is shared. True: the markets may be closed. `below` hears of those
   * who have lost meanwhile what their part is taken from.
   */
  function shared(
    ctx: WriteContext,
    before: { readonly closing: boolean },
    below: AccountId[],
  ): boolean {
    // Stopped on the way: shared when the authority lets it go on.
    const ended = endedMarkets(ctx).filter(
      (market) => markets.terms(ctx, market)?.status === "settling",
    );
    const [first] = ended;
    if (first === undefined) return true;
    if (!before.closing) return false;
    let done = false;
    let poorer: readonly AccountId[] = [];
    const sound = contained(ctx, markets, first, (step) => {
      const part = shares.share(step, ended);
      done = part.done;
      poorer = part.below;
    });
    if (sound) below.push(...poorer);
    return done || !sound;
  }

  return {
    pending: (ctx) => state.sweep.get(ctx) !== undefined || markets.settleable(ctx).length > 0,
    run(ctx) {
      if (state.sweep.get(ctx) === undefined && !begin(ctx)) return [];
      const sweep = state.sweep.require(ctx);
      const below = sweep.closing ? [] : visit(ctx, sweep.after);
      if (state.sweep.require(ctx).closing && shared(ctx, sweep, below)) close(ctx);
      return below;
    },
  };
}
