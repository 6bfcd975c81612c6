/**
 * Who is deleveraged, and by how much: the highest leverages on the other side are cut to one common level, closing exactly the lots
 * that are needed. Pure, exact integers, deterministic.
 */
import { assert } from "../../kit/errors.ts";
import { clamp, maximum, minimum, mulDivUp } from "../../kit/math/mul-div.ts";

export interface Counterparty<Id extends string> {
  readonly id: Id;
  /** Lots held against the bankrupt account, positive: what its leverage is measured by. */
  readonly lots: bigint;
  /** ≥ 0. */
  readonly equity: bigint;
  /** Lots that may be closed, 1 to `lots`. */
  readonly cap: bigint;
}

export interface Allocation<Id extends string> {
  readonly id: Id;
  readonly lots: bigint;
}

/** Lots per quantum of equity to which everyone is cut whom no cap protects: lots / equity. */
export interface Level {
  readonly lots: bigint;
  readonly equity: bigint;
}

type Leveraged = Level & { readonly id: string };

/** Most leveraged first; equal leverage by account id. lots/equity compared by cross-multiplication, zero equity being infinite. */
export function compareLeverage(a: Leveraged, b: Leveraged): number {
  const order = compareLevels(b, a);
  if (order !== 0) return order;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function compareLevels(a: Level, b: Level): number {
  const left = a.lots * b.equity;
  const right = b.lots * a.equity;
  if (left !== right) return left < right ? -1 : 1;
  if (a.equity === 0n && b.equity !== 0n) return 1;
  return b.equity === 0n && a.equity !== 0n ? -1 : 0;
}

/**
 * Cuts `needed` lots (or everything the caps allow) from the top of the ranking: the level Λ solves Σ min(cap, max(0, lots − Λ·equity)) = needed. What
 * rounding leaves is taken one lot at a time in rank order. The level is null when all there is was taken, or none but accounts without equity.
 */
export function allocateDeleveraging<Id extends string>(
  counterparties: readonly Counterparty<Id>[],
  needed: bigint,
): { readonly parts: readonly Allocation<Id>[]; readonly level: Level | null } {
  assert(needed > 0n, "deleveraging needs a positive number of lots");
  const ranked = [...counterparties].sort(compareLeverage);
  if (sumOf(ranked, ({ cap }) => cap) <= needed) {
    return { parts: ranked.map(({ id, cap }) => ({ id, lots: cap })), level: null };
  }
  // Infinite leverage comes first, whatever the level.
  const broke = ranked.filter(({ equity }) => equity === 0n);
  const closed = new Map<Id, bigint>();
  let left = needed;
  for (const { id, cap } of broke) {
    const lots = minimum(cap, left);
    closed.set(id, lots);
    left -= lots;
  }
  const others = ranked.slice(broke.length);
  const level = left > 0n ? cutToLevel(others, left, closed) : null;
  const parts = ranked
    .map(({ id }) => ({ id, lots: closed.get(id) ?? 0n }))
    .filter(({ lots }) => lots > 0n);
  return { parts, level };
}

/** Fills `closed`, in sum exactly `needed` ≤ the sum of the caps. All have equity. */
function cutToLevel<Id extends string>(
  ranked: readonly Counterparty<Id>[],
  needed: bigint,
  closed: Map<Id, bigint>,
): Level {
  const { above, below } = around(ranked, needed);
  // Between two neighbouring breakpoints everyone is untouched, at its cap, or on the line lots − Λ·equity.
  let lots = -needed;
  let equity = 0n;
  const line: Counterparty<Id>[] = [];
  for (const party of ranked) {
    if (compareLevels(uncapped(party), above) >= 0) lots += party.cap;
    else if (compareLevels(party, above) >= 0 && compareLevels(uncapped(party), below) <= 0) {
      lots += party.lots;
      equity += party.equity;
      line.push(party);
    }
  }
  assert(equity > 0n && lots >= 0n, "no level closes the lots that are needed");
  let left = needed;
  for (const party of ranked) {
    const keep = mulDivUp(lots, party.equity, equity);
    const part = clamp(party.lots - keep, 0n, party.cap);
    closed.set(party.id, part);
    left -= part;
  }
  takeRest(line, left, closed);
  return { lots, equity };
}

/** The leverage at which the cap begins to protect. */
function uncapped({ lots, cap, equity }: Counterparty<string>): Level {
  return { lots: lots - cap, equity };
}

/** The two neighbouring breakpoints between which the level lies: at `above` less than needed is closed, at `below` enough. */
function around(
  ranked: readonly Counterparty<string>[],
  needed: bigint,
): { readonly above: Level; readonly below: Level } {
  const points: Level[] = ranked.flatMap((party) => [party, uncapped(party)]);
  points.sort((a, b) => compareLevels(b, a));
  const enough = ({ lots, equity }: Level): boolean =>
    sumOf(ranked, (party) =>
      clamp(equity * party.lots - lots * party.equity, 0n, equity * party.cap),
    ) >=
    needed * equity;
  let short = 0;
  let found = points.length - 1;
  while (found - short > 1) {
    const middle = (short + found) >> 1;
    if (enough(points[middle] as Level)) found = middle;
    else short = middle;
  }
  return { above: points[short] as Level, below: points[found] as Level };
}

/** Fewer lots than there are accounts on the line, each of which rounding has spared a part of one. */
function takeRest<Id extends string>(
  line: readonly Counterparty<Id>[],
  rest: bigint,
  closed: Map<Id, bigint>,
): void {
  let left = rest;
  while (left > 0n) {
    const before = left;
    for (const { id, cap } of line) {
      const lots = closed.get(id) ?? 0n;
      if (left === 0n || lots >= cap) continue;
      closed.set(id, lots + 1n);
      left -= 1n;
    }
    assert(left < before, "nobody takes what rounding left");
  }
}

/** Lots that are closed before an account of this leverage is touched, and were nobody capped. */
export function lotsAbove(
  others: readonly Counterparty<string>[],
  { lots, equity }: Level,
): bigint {
  return sumOf(others, (party) => {
    if (equity === 0n) return 0n;
    return maximum(party.lots - mulDivUp(lots, party.equity, equity), 0n);
  });
}

function sumOf<T>(values: readonly T[], of: (value: T) => bigint): bigint {
  let sum = 0n;
  for (const value of values) sum += of(value);
  return sum;
}
