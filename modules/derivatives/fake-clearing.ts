/**
 * A small ledger with the contract of ClearingPort, for tests of this module alone: every account has a cap on its worst-case lots
 * instead of collateral. Reverts with the state it is used under.
 */
import type { AccountId } from "../kit/account-id.ts";
import type { WriteContext } from "../kit/context.ts";
import { assert, ModuleError } from "../kit/errors.ts";
import { absolute, maximum } from "../kit/math/mul-div.ts";
import type { AuctionTrade, ClearingPort, MarketId, Side, Trade, TradeParty } from "./ports.ts";

interface Holding {
  readonly market: MarketId;
  readonly lots: bigint;
  readonly openBuyLots: bigint;
  readonly openSellLots: bigint;
}

interface FakeAccount {
  readonly cap: bigint;
  readonly feeReserve: bigint;
  readonly feesPaid: bigint;
  readonly positions: readonly Holding[];
}

export interface FakeClearing extends ClearingPort {
  /** Changes how far an account may go from now on. */
  limit(account: AccountId, cap: bigint): void;
  /** Opens an account whose worst case may reach `cap` lots in each market. */
  open(account: AccountId, cap: bigint): void;
  readonly trades: Trade[];
  readonly auctions: AuctionTrade[];
  feesPaid(account: AccountId): bigint;
  /** What an account was given of others' fees. */
  shared(account: AccountId): bigint;
}

const INSUFFICIENT = 7;

function worst({ lots, openBuyLots, openSellLots }: Holding): bigint {
  return maximum(absolute(lots + openBuyLots), absolute(lots - openSellLots));
}

export function createFakeClearing(): FakeClearing {
  const accounts = new Map<AccountId, FakeAccount>();
  const trades: Trade[] = [];
  const auctions: AuctionTrade[] = [];
  const shares = new Map<AccountId, bigint>();

  function write(ctx: WriteContext, id: AccountId, next: FakeAccount): void {
    const before = accounts.get(id);
    assert(before !== undefined, "fake: unknown account");
    accounts.set(id, next);
    ctx.state.onRevert(() => void accounts.set(id, before));
  }

  function holding(account: FakeAccount, market: MarketId): Holding {
    const empty = { market, lots: 0n, openBuyLots: 0n, openSellLots: 0n };
    return account.positions.find((position) => position.market === market) ?? empty;
  }

  function withHolding(account: FakeAccount, next: Holding): FakeAccount {
    const others = account.positions.filter((position) => position.market !== next.market);
    return { ...account, positions: [...others, next] };
  }

  function filled(
    account: FakeAccount,
    trade: Pick<Trade, "market" | "lots">,
    party: TradeParty,
    side: Side,
  ): FakeAccount {
    const before = holding(account, trade.market);
    const released = party.release?.lots ?? 0n;
    const buys = side === "buy";
    const next = {
      market: trade.market,
      lots: before.lots + (buys ? trade.lots : -trade.lots),
      openBuyLots: before.openBuyLots - (buys ? released : 0n),
      openSellLots: before.openSellLots - (buys ? 0n : released),
    };
    const feeReserve = account.feeReserve - (party.release?.feeReserveQuanta ?? 0n);
    assert(
      next.openBuyLots >= 0n && next.openSellLots >= 0n && feeReserve >= 0n,
      "fake: released more than was reserved",
    );
    const feesPaid = account.feesPaid + party.feeQuanta;
    return { ...withHolding(account, next), feeReserve, feesPaid };
  }

  return {
    trades,
    auctions,
    open: (id, cap) => void accounts.set(id, { cap, feeReserve: 0n, feesPaid: 0n, positions: [] }),
    limit(id, cap) {
      const account = accounts.get(id);
      assert(account !== undefined, "fake: unknown account");
      accounts.set(id, { ...account, cap });
    },
    feesPaid: (id) => accounts.get(id)?.feesPaid ?? 0n,
    shared: (id) => shares.get(id) ?? 0n,

    shareFees(ctx, id, quanta) {
      assert(quanta > 0n, "fake: a share must be positive");
      const before = shares.get(id) ?? 0n;
      shares.set(id, before + quanta);
      ctx.state.onRevert(() => void shares.set(id, before));
    },

    clear(ctx, trade) {
      assert(trade.buyer.account !== trade.seller.account, "fake: a trade needs two accounts");
      const next: [AccountId, FakeAccount][] = [];
      for (const side of ["buy", "sell"] as const) {
        const party = side === "buy" ? trade.buyer : trade.seller;
        const before = accounts.get(party.account);
        if (before === undefined) {
          return { ok: false, refused: side, code: 6, reason: "no such sub-account" };
        }
        const after = filled(before, trade, party, side);
        const grew = worst(holding(after, trade.market)) > worst(holding(before, trade.market));
        const beyond = worst(holding(after, trade.market)) > before.cap;
        const exempt = trade.kind === "liquidation" && side === trade.taker;
        if (grew && beyond && !exempt) {
          return { ok: false, refused: side, code: INSUFFICIENT, reason: "beyond the cap" };
        }
        next.push([party.account, after]);
      }
      for (const [id, account] of next) write(ctx, id, account);
      trades.push(trade);
      ctx.state.onRevert(() => void trades.pop());
      return { ok: true };
    },

    clearAll(ctx, all, moves) {
      assert(moves.length === 0, "fake: accounts have caps, not collateral");
      const next = new Map<AccountId, FakeAccount>();
      for (const trade of all) {
        for (const side of ["buy", "sell"] as const) {
          const party = side === "buy" ? trade.buyer : trade.seller;
          const account = next.get(party.account) ?? accounts.get(party.account);
          if (account === undefined) {
            return { ok: false, refused: party.account, code: 6, reason: "no such sub-account" };
          }
          next.set(party.account, filled(account, trade, party, side));
        }
      }
      for (const [id, account] of next) {
        const beyond = account.positions.some((position) => {
          const before = holding(accounts.get(id) as FakeAccount, position.market);
          return worst(position) > account.cap && worst(position) > worst(before);
        });
        if (beyond) return { ok: false, refused: id, code: INSUFFICIENT, reason: "beyond the cap" };
      }
      for (const [id, account] of next) write(ctx, id, account);
      trades.push(...all);
      ctx.state.onRevert(() => void trades.splice(trades.length - all.length));
      return { ok: true };
    },

    portAccount(ctx, from, to) {
      const account = accounts.get(from);
      assert(account !== undefined && !accounts.has(to), "fake: ported to an unused account");
      accounts.delete(from);
      accounts.set(to, account);
      ctx.state.onRevert(() => {
        accounts.delete(to);
        accounts.set(from, account);
      });
    },

    clearAuction(ctx, { market, priceTicks, fills }) {
      const next: [AccountId, FakeAccount][] = [];
      const refused: { account: AccountId; code: number; reason: string }[] = [];
      let sum = 0n;
      for (const { account, side, lots, feeQuanta, release } of fills) {
        const before = accounts.get(account);
        assert(before !== undefined, "fake: unknown account");
        const party: TradeParty = { account, feeQuanta, orderId: null, release };
        const after = filled(before, { market, lots }, party, side);
        const [was, is] = [holding(before, market), holding(after, market)];
        if (absolute(is.lots) > absolute(was.lots) && worst(is) > before.cap) {
          refused.push({ account, code: INSUFFICIENT, reason: "beyond the cap" });
        }
        next.push([account, after]);
        sum += side === "buy" ? lots : -lots;
      }
      assert(sum === 0n && priceTicks > 0n, "fake: an auction's fills must balance");
      assert(
        new Set(fills.map((fill) => fill.account)).size === fills.length,
        "fake: one side each",
      );
      if (refused.length > 0) return { ok: false, refused };
      for (const [id, account] of next) write(ctx, id, account);
      auctions.push({ market, priceTicks, fills });
      ctx.state.onRevert(() => void auctions.pop());
      return { ok: true };
    },

    adjustOpenOrders(ctx, id, market, side, deltaLots, deltaFee) {
      const account = accounts.get(id);
      if (account === undefined) throw new ModuleError("margin", 6, "no such sub-account");
      const before = holding(account, market);
      const after = {
        ...before,
        openBuyLots: before.openBuyLots + (side === "buy" ? deltaLots : 0n),
        openSellLots: before.openSellLots + (side === "sell" ? deltaLots : 0n),
      };
      const feeReserve = account.feeReserve + deltaFee;
      assert(
        after.openBuyLots >= 0n && after.openSellLots >= 0n && feeReserve >= 0n,
        "fake: open order exposure fell below zero",
      );
      write(ctx, id, { ...withHolding(account, after), feeReserve });
      return worst(after) > worst(before);
    },

    requireInitial(_ctx, id) {
      const account = accounts.get(id);
      assert(account !== undefined, "fake: unknown account");
      if (account.positions.some((position) => worst(position) > account.cap)) {
        throw new ModuleError("margin", INSUFFICIENT, "beyond the cap");
      }
    },

    // Its accounts have no requirement that terms could change.
    keepHealthy: (ctx, _market, change) => change(ctx),

    positionLots(_ctx, id, market) {
      const account = accounts.get(id);
      return account === undefined ? 0n : holding(account, market).lots;
    },

    exists: (_ctx, id) => accounts.has(id),

    openInterestLots(_ctx, market) {
      let long = 0n;
      for (const account of accounts.values()) long += maximum(holding(account, market).lots, 0n);
      return long;
    },

    account: (_ctx, id) => accounts.get(id),
  };
}
