/**
 * Rounds of an export in the chain that begins with it. They are heights of the old chain, and the new one may begin lower: there a later round would not
 * come for as many blocks as the old chain had.
 */
import type { CollectedCancel, CollectedOrder } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { MarketId } from "../ports.ts";

interface Collected {
  readonly orders: readonly CollectedOrder[];
  readonly cancels: readonly CollectedCancel[];
}

/**
 * The latest round of a market is the first block's at the latest, and those before it stay before it, as which of a cancel of everything and an order came
 * first depends on it. All of them are held with the first block. Cancels of one name that meet in a round are one.
 */
export function importedRounds({ cancels, orders }: Collected, initialHeight: number): Collected {
  const initial = BigInt(initialHeight);
  const latest = new Map<MarketId, bigint>();
  for (const { market, round } of [...orders, ...cancels])
    if (round > (latest.get(market) ?? 0n)) latest.set(market, round);

  function roundOf({ market, round }: { market: MarketId; round: bigint }): bigint {
    const last = latest.get(market) ?? 0n;
    if (last <= initial) return round;
    if (round === last) return initial;
    return round < initial ? round : initial - 1n;
  }

  const named = new Set<string>();
  const kept: CollectedCancel[] = [];
  for (const cancel of cancels) {
    const round = roundOf(cancel);
    if (round !== cancel.round) {
      const { clientId, market, orderId, owner, subaccount } = cancel;
      const name = [market, round, owner.join(), subaccount, orderId, clientId].join(" ");
      if (named.has(name)) continue;
      named.add(name);
    }
    kept.push({ ...cancel, round });
  }
  return { cancels: kept, orders: orders.map((order) => ({ ...order, round: roundOf(order) })) };
}
