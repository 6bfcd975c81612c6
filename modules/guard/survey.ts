/** Who holds how much of the markets whose rules ask: a walk over all accounts, a bounded number in each block, then over again. */
import type { MarketMeasures, SurveyTally } from "@keel/proto/gen/keel/guard/v1/types";
import { accountIdKey, ownerOf } from "../kit/account-id.ts";
import { bytesToKey, keyToBytes } from "../kit/collections/codecs.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { absolute, maximum, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import type { Parts } from "./breakers.ts";
import { NEAR_PPM, SURVEY_PER_BLOCK } from "./limits.ts";
import type { MarketId } from "./ports.ts";
import type { GuardState } from "./state.ts";

type Mutable = { -readonly [K in keyof SurveyTally]: SurveyTally[K] };

export function emptyMeasures(market: MarketId): MarketMeasures {
  return {
    market,
    depthPpmLots: 0n,
    depthSampledMs: 0n,
    ownerSharePpm: 0n,
    nearSharePpm: 0n,
    capMovedMs: 0n,
    raiseMovedMs: 0n,
    depthSamples: 0,
  };
}

function asked(ctx: ReadContext, state: GuardState): MarketId[] {
  const ids: MarketId[] = [];
  state.rules.each(ctx, (market, { margin }) => {
    if (margin !== undefined && margin.ownerWeightPpm + margin.nearWeightPpm > 0n) ids.push(market);
  });
  return ids;
}

/** The owner's last account is seen. */
function closeOwner(tallies: Iterable<Mutable>): void {
  for (const tally of tallies) {
    const held = maximum(tally.ownerLongLots, tally.ownerShortLots);
    tally.largestLots = maximum(tally.largestLots, held);
    tally.ownerLongLots = 0n;
    tally.ownerShortLots = 0n;
  }
}

/** Shares of the open interest as it is now; a walk takes many blocks, so they are clamped. */
function publish(ctx: WriteContext, { ports, state }: Parts, tally: SurveyTally): void {
  const open = ports.ledger.openInterestLots(ctx, tally.market);
  const before = state.measures.get(ctx, tally.market) ?? emptyMeasures(tally.market);
  const share = (lots: bigint, of: bigint): bigint =>
    of === 0n ? 0n : minimum(mulDivDown(lots, PPM, of), PPM);
  state.measures.set(ctx, tally.market, {
    ...before,
    ownerSharePpm: share(tally.largestLots, open),
    // Both sides of the market count.
    nearSharePpm: share(tally.nearLots, 2n * open),
  });
}

export function surveyStep(ctx: WriteContext, parts: Parts): void {
  const { ports, state } = parts;
  const markets = asked(ctx, state);
  const known = state.survey.get(ctx);
  if (markets.length === 0) {
    if (known !== undefined) state.survey.delete(ctx);
    return;
  }
  const old = new Map(known?.tallies.map((tally) => [tally.market, tally]));
  const tallies = new Map<MarketId, Mutable>();
  for (const market of markets) {
    const zero = { ownerLongLots: 0n, ownerShortLots: 0n, largestLots: 0n, nearLots: 0n };
    tallies.set(market, { ...zero, market, ...old.get(market) });
  }
  const cursor = known === undefined ? null : accountIdKey.decode(bytesToKey(known.cursor), 0)[0];
  const walk = { after: cursor, count: SURVEY_PER_BLOCK, nearPpm: NEAR_PPM };
  const seen = ports.ledger.survey(ctx, walk);
  let owner = cursor === null ? null : bytesToKey(ownerOf(cursor));
  for (const { id, near, positions } of seen) {
    const own = bytesToKey(ownerOf(id));
    if (own !== owner) closeOwner(tallies.values());
    owner = own;
    for (const { lots, market } of positions) {
      const tally = tallies.get(market);
      if (tally === undefined) continue;
      if (lots > 0n) tally.ownerLongLots += lots;
      else tally.ownerShortLots -= lots;
      if (near) tally.nearLots += absolute(lots);
    }
  }
  const last = seen[seen.length - 1];
  if (seen.length === SURVEY_PER_BLOCK && last !== undefined) {
    const bytes = keyToBytes(accountIdKey.encode(last.id));
    state.survey.set(ctx, { cursor: bytes, tallies: [...tallies.values()] });
    return;
  }
  closeOwner(tallies.values());
  for (const tally of tallies.values()) publish(ctx, parts, tally);
  if (known !== undefined) state.survey.delete(ctx);
}
