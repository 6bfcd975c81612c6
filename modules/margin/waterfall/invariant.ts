/** What must always hold of markets that end by a loss. */
import type { EndingShare, MarketEnding } from "@keel/proto/gen/keel/margin/v1/settlement";
import type { ReadContext } from "../../kit/context.ts";
import { parseMoney } from "../../kit/money.ts";
import type { WaterfallState } from "./state.ts";

const isAmount = (text: string): boolean => (parseMoney(text) ?? -1n) >= 0n;

function endingFault(ending: MarketEnding, market: number): string | null {
  const { claims, endedHeight, loss, missing, sharing, sinceHeight, sunkLots } = ending;
  if (ending.market !== market) return `the ending of market ${market} is kept for another`;
  if (!isAmount(missing) || !isAmount(loss) || parseMoney(sunkLots) === null) {
    return `the ending of market ${market} has no amounts`;
  }
  if (endedHeight !== 0n && endedHeight < sinceHeight)
    return `market ${market} ended before it stopped`;
  if (endedHeight === 0n && (sharing || claims.length > 0)) {
    return `a loss of market ${market} is shared that has not ended it`;
  }
  const owed = claims.reduce((sum, claim) => sum + (parseMoney(claim.missing) ?? 0n), 0n);
  if (!claims.every((claim) => isAmount(claim.missing)) || owed > BigInt(loss)) {
    return `market ${market} owes ${owed} of a loss of ${loss}`;
  }
  return null;
}

function shareFault({ gain, room, size }: EndingShare): string | null {
  return [gain, room, size].every(isAmount) ? null : "a share of a loss has no amounts";
}

/** Records are such as a loss makes them; nobody bears anything of a market that no loss has ended. */
export function endingsFault(ctx: ReadContext, { endings, shares }: WaterfallState): string | null {
  let fault: string | null = null;
  let ended = 0;
  endings.each(ctx, (market, ending) => {
    if (ending.endedHeight > 0n) ended += 1;
    fault ??= endingFault(ending, market);
  });
  shares.each(ctx, (_id, share) => {
    fault ??= shareFault(share);
  });
  if (ended === 0 && shares.size(ctx) > 0) fault ??= "a loss is shared of no market that has ended";
  return fault;
}
