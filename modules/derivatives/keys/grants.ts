/** Grants: who may trade for whom, where, how much a day and until when. Looked up by address of the key at every use, so a revoked one is void at once. */

import type { TradingGrant } from "@keel/proto/gen/keel/derivatives/v1/trading_keys";
import type { MsgGrantTradingKey } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { bytesToKey, heightKey } from "../../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { addressOfKey } from "../../kit/key-address.ts";
import { refuse } from "../errors.ts";
import { parseKey } from "../external/signed.ts";
import {
  GRANT_AHEAD_MAX_MS,
  GRANT_MARKETS_MAX,
  GRANT_SUBACCOUNTS_MAX,
  GRANTS_PER_OWNER_MAX,
} from "../limits.ts";
import type { MarketId } from "../ports.ts";
import { nowMs, requireInstrument, type Venue } from "../venue.ts";
import { grantEvent, revokeEvent } from "./events.ts";
import type { GrantKey } from "./state.ts";

/** Quanta as text: positive and whole. */
export const WHOLE: RegExp = /^[1-9][0-9]{0,37}$/;
const DAY_MS = 86_400_000;

function requireThat(condition: boolean, expected: string): asserts condition {
  if (!condition) throw refuse("invalidGrant", `expected ${expected}`);
}

function ascends(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || (numbers[i - 1] as number) < number);
}

/** Without state. */
export function checkGrant(message: MsgGrantTradingKey): void {
  parseKey(message.key);
  const { subaccounts, markets, notionalPerDay, expiryMs } = message;
  requireThat(
    subaccounts.length > 0 && subaccounts.length <= GRANT_SUBACCOUNTS_MAX && ascends(subaccounts),
    `1 to ${GRANT_SUBACCOUNTS_MAX} sub-accounts, ascending`,
  );
  requireThat(markets.length <= GRANT_MARKETS_MAX, `at most ${GRANT_MARKETS_MAX} markets`);
  requireThat(WHOLE.test(notionalPerDay), "a positive notional per day in whole quanta");
  requireThat(
    expiryMs > 0n && Number.isSafeInteger(Number(expiryMs)),
    "an expiry in Unix milliseconds",
  );
}

/** Returns the address of the key. */
export function grantKey(
  ctx: WriteContext,
  venue: Venue,
  owner: Uint8Array,
  message: MsgGrantTradingKey,
): Uint8Array {
  const { grants, expiries } = venue.state.keys;
  const { kind, key } = parseKey(message.key);
  const trader = addressOfKey(kind, key);
  const expiryMs = Number(message.expiryMs);
  const now = nowMs(ctx);
  requireThat(
    expiryMs > now && expiryMs <= now + GRANT_AHEAD_MAX_MS,
    `an expiry after ${now} and up to ${now + GRANT_AHEAD_MAX_MS} ms, got ${expiryMs}`,
  );
  requireThat(bytesToKey(trader) !== bytesToKey(owner), "a key other than the owner's own");
  const ids = message.markets.map((symbol) => requireInstrument(ctx, venue, symbol).id);
  const markets = [...new Set(ids)].sort((a, b) => a - b);
  const at: GrantKey = [owner, trader];
  const before = grants.get(ctx, at);
  if (before === undefined) {
    let present = 0;
    grants.eachWithPrefix(ctx, bytesToKey(owner), () => void (present += 1));
    if (present >= GRANTS_PER_OWNER_MAX) {
      throw refuse("tooManyGrants", `expected at most ${GRANTS_PER_OWNER_MAX} grants of one owner`);
    }
  } else expiries.delete(ctx, [Number(before.expiryMs), owner, trader]);
  const { subaccounts, notionalPerDay } = message;
  grants.set(ctx, at, {
    // Copied: decoded bytes may be a view of a whole block.
    key: message.key === undefined ? undefined : { type: message.key.type, key: key.slice() },
    subaccounts,
    markets,
    notionalPerDay,
    expiryMs: message.expiryMs,
  });
  expiries.set(ctx, [expiryMs, owner, trader], true);
  venue.keyAccounts.ensureKey(ctx, kind, key);
  grantEvent(ctx, venue, at, message.expiryMs);
  return trader;
}

function forget(
  ctx: WriteContext,
  venue: Venue,
  [owner, trader]: GrantKey,
  expiryMs: number,
): void {
  const { grants, expiries, spent } = venue.state.keys;
  grants.delete(ctx, [owner, trader]);
  expiries.delete(ctx, [expiryMs, owner, trader]);
  spent.delete(ctx, [owner, trader]);
}

export function revokeKey(ctx: WriteContext, venue: Venue, at: GrantKey): void {
  const grant = venue.state.keys.grants.get(ctx, at);
  if (grant === undefined) throw refuse("notGranted", "no grant of the sender to this key");
  forget(ctx, venue, at, Number(grant.expiryMs));
  revokeEvent(ctx, venue, at, "user");
}

/** At the start of a block: grants that are void by now, oldest first, up to the block's bound. */
export function pruneGrants(ctx: WriteContext, venue: Venue): void {
  const most = venue.state.params.require(ctx).expiriesPerBlockMax;
  const due: (readonly [number, Uint8Array, Uint8Array])[] = [];
  const to = heightKey.encode(nowMs(ctx) + 1);
  venue.state.keys.expiries.eachBetween(ctx, "", to, (key) => due.push(key) >= most);
  for (const [expiryMs, owner, trader] of due) {
    forget(ctx, venue, [owner, trader], expiryMs);
    revokeEvent(ctx, venue, [owner, trader], "expired");
  }
}

/** A live grant that names the sub-account. */
export function requireGrant(
  ctx: ReadContext,
  venue: Venue,
  at: GrantKey,
  subaccount: number,
): TradingGrant {
  const grant = venue.state.keys.grants.get(ctx, at);
  if (grant === undefined) {
    throw refuse("notGranted", "the key is neither the owner's nor granted by it");
  }
  if (grant.expiryMs <= BigInt(nowMs(ctx))) {
    throw refuse("grantExpired", `the grant of the key expired at ${grant.expiryMs} ms`);
  }
  if (!grant.subaccounts.includes(subaccount)) {
    throw refuse("notGranted", `the grant does not name sub-account ${subaccount}`);
  }
  return grant;
}

export function requireGrantedMarket(grant: TradingGrant, market: MarketId, symbol: string): void {
  if (grant.markets.length > 0 && !grant.markets.includes(market)) {
    throw refuse("notGranted", `the grant does not name market ${symbol}`);
  }
}

/** What was committed today, in quanta. */
export function spentToday(ctx: ReadContext, venue: Venue, at: GrantKey): bigint {
  const spent = venue.state.keys.spent.get(ctx, at);
  return spent !== undefined && spent.day === dayOf(ctx) ? BigInt(spent.notional) : 0n;
}

function dayOf(ctx: ReadContext): number {
  const now = nowMs(ctx);
  return (now - (now % DAY_MS)) / DAY_MS;
}

/** Counts `notional` quanta against the day's bound. */
export function spend(
  ctx: WriteContext,
  venue: Venue,
  at: GrantKey,
  grant: TradingGrant,
  notional: bigint,
): void {
  if (notional === 0n) return;
  const next = spentToday(ctx, venue, at) + notional;
  if (next > BigInt(grant.notionalPerDay)) {
    throw refuse(
      "grantExhausted",
      `expected at most ${grant.notionalPerDay} quanta a day, got ${next}`,
    );
  }
  venue.state.keys.spent.set(ctx, at, { day: dayOf(ctx), notional: next.toString() });
}
