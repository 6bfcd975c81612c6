/**
 * Who is deleveraged, and by how much: the highest leverages on the other side are cut to one common level, closing exactly the lots
 * that are needed. Pure, exact integers, deterministic.
 */
import { assert } from "../kit/errors.ts";
import { minimum, mulDivUp } from "../kit/math/mul-div.ts";

export interface Counterparty<Id extends string> {
  readonly id: Id;
  /** Lots held against the bankrupt account, positive. */
  readonly lots: bigint;
  /** ≥ 0. */
  readonly equity: bigint;
}

export interface Allocation<Id extends string> {
  readonly id: Id;
  readonly lots: bigint;
}

/** Most leveraged first; equal leverage by account id. lots/equity compared by cross-multiplication, zero equity being infinite. */
export function compareLeverage<Id extends string>(
  a: Counterparty<Id>,
  b: Counterparty<Id>,
): number {
  const left = a.lots * b.equity;
  const right = b.lots * a.equity;
  if (left !== right) return left > right ? -1 : 1;
  if (a.equity === 0n && b.equity !== 0n) return -1;
  if (b.equity === 0n && a.equity !== 0n) return 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/**
 * Cuts `needed` lots (or everything there is) from the top of the ranking: the level Λ solves Σ max(0, lots − Λ·equity) = needed over
 * the smallest prefix of the ranking that can give it. What rounding leaves is taken one lot at a time in rank order.
 */
export function allocateDeleveraging<Id extends string>(
  counterparties: readonly Counterparty<Id>[],
  needed: bigint,
): Allocation<Id>[] {
  assert(needed > 0n, "deleveraging needs a positive number of lots");
  const ranked = [...counterparties].sort(compareLeverage);
  const { count, lots, equity } = prefixThatGives(ranked, needed);
  if (lots <= needed) return ranked.slice(0, count).map(({ id, lots: all }) => ({ id, lots: all }));
  const kept: bigint[] = [];
  let closed = 0n;
  for (let i = 0; i < count; i++) {
    const party = ranked[i] as Counterparty<Id>;
    const keep =
      equity === 0n
        ? party.lots
        : minimum(party.lots, mulDivUp(lots - needed, party.equity, equity));
    kept.push(keep);
    closed += party.lots - keep;
  }
  takeRest(kept, needed - closed, equity === 0n);
  return ranked
    .slice(0, count)
    .map((party, i) => ({ id: party.id, lots: party.lots - (kept[i] as bigint) }))
    .filter((part) => part.lots > 0n);
}

/** Smallest prefix whose common level is not below the next account's leverage. */
function prefixThatGives<Id extends string>(
  ranked: readonly Counterparty<Id>[],
  needed: bigint,
): { readonly count: number; readonly lots: bigint; readonly equity: bigint } {
  let lots = 0n;
  let equity = 0n;
  for (let i = 0; i < ranked.length; i++) {
    const party = ranked[i] as Counterparty<Id>;
    lots += party.lots;
    equity += party.equity;
    const next = ranked[i + 1];
    if (next === undefined || lots < needed) continue;
    if ((lots - needed) * next.equity >= next.lots * equity) return { count: i + 1, lots, equity };
  }
  return { count: ranked.length, lots, equity };
}

function takeRest(kept: bigint[], rest: bigint, greedy: boolean): void {
  let left = rest;
  while (left > 0n) {
    for (let i = 0; i < kept.length && left > 0n; i++) {
      const keep = kept[i] as bigint;
      const taken = greedy ? minimum(left, keep) : minimum(1n, keep);
      kept[i] = keep - taken;
      left -= taken;
    }
  }
}
