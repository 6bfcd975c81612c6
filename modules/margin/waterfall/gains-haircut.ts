/**
 * Variation-margin gains haircut: where only cash is missing. Expired positions are settled losers first, so that what they could not pay, the funds having
 * paid, is known before the first gain is paid out; then each gain of the market is cut by the same share, at most the cap. Gains are net of what the
 * account loses in the same settlement. Cuts are rounded on their running sum, so that together they are exact and nobody gains by where it stands.
 */
import type { SettlementSweep } from "@keel/proto/gen/keel/margin/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import { accountId, numberOf, ownerOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import { minimum, mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import type { MarketId } from "../ports.ts";
import { addWeight, originFrom, splitWeights } from "./origins.ts";

/** What one position was settled for. */
export interface Settled {
  readonly market: MarketId;
  readonly realised: bigint;
}

interface Row {
  gains: bigint;
  missing: bigint;
  paid: bigint;
  taken: bigint;
}

export interface Cut {
  readonly quanta: bigint;
  /** The first winning market, for the record. */
  readonly market: MarketId;
  readonly marketGains: bigint;
  readonly marketMissing: bigint;
}

export function netGain(settled: readonly Settled[]): bigint {
  return settled.reduce((sum, { realised }) => sum + realised, 0n);
}

/** The account's net gain, shared among the markets it gained in; empty: it has none. */
function gainsOf(settled: readonly Settled[]): ReadonlyMap<MarketId, bigint> {
  const net = netGain(settled);
  const weights = new Map<string, bigint>();
  for (const { market, realised } of settled) {
    if (realised > 0n) addWeight(weights, `${market}`, realised);
  }
  const origin = originFrom(weights);
  if (net <= 0n || origin === null) return new Map();
  return new Map(splitWeights(origin, net).map(([market, part]) => [Number(market), part]));
}

/** One sweep's book of gains and of what is missing, as it stands in state between blocks. */
export class HaircutBook {
  readonly capPpm: bigint;
  readonly second: boolean;
  readonly #rows = new Map<MarketId, Row>();
  readonly #claims = new Map<AccountId, bigint>();

  constructor(sweep: SettlementSweep, addresses: Addresses) {
    this.capPpm = BigInt(sweep.haircutPpm);
    this.second = sweep.second;
    for (const { market, gains, missing, paid, taken } of sweep.gains) {
      this.#rows.set(market, {
        gains: BigInt(gains),
        missing: BigInt(missing),
        paid: BigInt(paid),
        taken: BigInt(taken),
      });
    }
    for (const { owner, subaccount, missing } of sweep.claims) {
      this.#claims.set(accountId(addresses.parse(owner), subaccount), BigInt(missing));
    }
  }

  get on(): boolean {
    return this.capPpm > 0n;
  }

  /** In the first pass those who do not lose wait for the second. */
  waits(settled: readonly Settled[]): boolean {
    return this.on && !this.second && netGain(settled) >= 0n;
  }

  noteGains(settled: readonly Settled[]): void {
    for (const [market, gain] of gainsOf(settled)) this.#row(market).gains += gain;
  }

  /** Nobody has paid it; it is missing in the markets that were settled at a loss. */
  noteMissing(id: AccountId, missing: bigint, settled: readonly Settled[]): void {
    const weights = new Map<string, bigint>();
    for (const { market, realised } of settled) {
      if (realised < 0n) addWeight(weights, `${market}`, -realised);
    }
    const origin = originFrom(weights);
    if (origin === null) return;
    this.#claims.set(id, missing);
    for (const [market, part] of splitWeights(origin, missing)) {
      this.#row(Number(market)).missing += part;
    }
  }

  /** What is to be kept of a gain that is paid out now. */
  cut(settled: readonly Settled[]): Cut | null {
    let quanta = 0n;
    let first: Omit<Cut, "quanta"> | null = null;
    for (const [market, gain] of gainsOf(settled)) {
      const row = this.#row(market);
      const wanted = minimum(row.missing, mulDivDown(row.gains, this.capPpm, PPM));
      const paid = row.paid + gain;
      // No gain was noted where a market that has stopped since had made up for it.
      const taken = row.gains === 0n ? 0n : mulDivDown(wanted, paid, row.gains);
      quanta += taken - row.taken;
      row.paid = paid;
      row.taken = taken;
      first ??= { market, marketGains: row.gains, marketMissing: row.missing };
    }
    return first === null || quanta === 0n ? null : { quanta, ...first };
  }

  /** Whom a cut goes to, in order, and how much each is still owed; it may be settled on the way. Not a copy: it is asked for with each gain. */
  get claims(): Iterable<readonly [AccountId, bigint]> {
    return this.#claims.entries();
  }

  settle(id: AccountId, quanta: bigint): void {
    const left = (this.#claims.get(id) ?? 0n) - quanta;
    if (left > 0n) this.#claims.set(id, left);
    else this.#claims.delete(id);
  }

  kept(addresses: Addresses): Pick<SettlementSweep, "gains" | "claims"> {
    const gains = [...this.#rows]
      .sort(([a], [b]) => a - b)
      .map(([market, { gains: all, missing, paid, taken }]) => ({
        market,
        gains: all.toString(),
        missing: missing.toString(),
        paid: paid.toString(),
        taken: taken.toString(),
      }));
    const claims = [...this.#claims].map(([id, missing]) => ({
      owner: addresses.format(ownerOf(id)),
      subaccount: numberOf(id),
      missing: missing.toString(),
    }));
    return { gains, claims };
  }

  #row(market: MarketId): Row {
    let row = this.#rows.get(market);
    if (row === undefined) {
      row = { gains: 0n, missing: 0n, paid: 0n, taken: 0n };
      this.#rows.set(market, row);
    }
    return row;
  }
}
