/**
 * The gate after an outage. Where blocks were missing, orders in the book are as old as the gap and the first prices may be as well: nothing is
 * matched or liquidated until a price is fresh and some blocks have passed, and what leaves waits longer.
 */
import {
  RestrictionLevel as Level,
  type OutageRule,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import type { WriteContext } from "../kit/context.ts";
import { quantities } from "../kit/explanation.ts";
import type { Parts } from "./breakers.ts";
import { contained } from "./contained.ts";
import { emit, nowMs, remember } from "./events.ts";
import { end, replace, tighten } from "./restrictions.ts";
import { ALL_MARKETS } from "./state.ts";

const GATES: readonly Source[] = [
  Source.RESTRICTION_SOURCE_OUTAGE,
  Source.RESTRICTION_SOURCE_OUTAGE_WITHDRAWALS,
];

/** Status of a market that is going to trade; an outage halts those that did. */
const WAITING: readonly string[] = ["active", "closeOnly", "halted"];

/** Compares the time of this block with that of the last one. */
export function watchGap(ctx: WriteContext, { state }: Parts, rule: OutageRule | undefined): void {
  const before = state.lastBlock.get(ctx);
  if (rule === undefined) {
    if (before !== undefined) state.lastBlock.delete(ctx);
    return;
  }
  const now = nowMs(ctx);
  state.lastBlock.set(ctx, now);
  if (before === undefined) return;
  const gap = now - before;
  const { blocks, gapMs, withdrawalBlocks } = rule;
  if (gap < gapMs) return;
  const cause = `no block for ${gap} ms, limit ${gapMs} ms`;
  if (blocks > 0) {
    tighten(ctx, state, ALL_MARKETS, {
      source: Source.RESTRICTION_SOURCE_OUTAGE,
      level: Level.RESTRICTION_LEVEL_HALTED,
      // The present block is one of them, and is counted off at the begin of the next.
      blocksLeft: blocks,
      cause,
    });
  }
  if (withdrawalBlocks > 0) {
    tighten(ctx, state, ALL_MARKETS, {
      source: Source.RESTRICTION_SOURCE_OUTAGE_WITHDRAWALS,
      withdrawalsClosed: true,
      blocksLeft: withdrawalBlocks,
      cause,
    });
  }
  const attributes = {
    gap_ms: gap,
    limit_ms: gapMs,
    blocks,
    withdrawal_blocks: withdrawalBlocks,
  };
  emit(ctx, "guard_outage", attributes, () => ({
    rule: "gap = time of this block - time of the last one; it is an outage from the limit on; blocks are counted from the first one with a fresh price",
    inputs: quantities("ms", { "last block": before, "this block": now, limit: gapMs }),
    results: [
      ...quantities("ms", { gap }),
      ...quantities("", {
        "blocks of cancels only": blocks,
        "blocks without withdrawals": withdrawalBlocks,
      }),
    ],
  }));
  const after = `cancels only for ${blocks} blocks, withdrawals closed for ${withdrawalBlocks}`;
  remember(ctx, state, { market: ALL_MARKETS, what: "outage", before: "", after, cause });
}

/** A price is fresh, or no market waits for one: what has ended or was stopped would hold everyone's money for ever. */
function mayCount(ctx: WriteContext, { venue }: Parts["ports"]): boolean {
  let waits = false;
  let fresh = false;
  for (const market of venue.marketIds(ctx)) {
    contained(ctx, venue, market, (inner) => {
      fresh = venue.mark(inner, market)?.fresh === true;
      waits ||= WAITING.includes(venue.terms(inner, market)?.status ?? "");
    });
    if (fresh) return true;
  }
  return !waits;
}

/** One block less for the gates, once there is a fresh price; one dead feed does not hold all markets, its own staleness holds its own. */
export function countOff(ctx: WriteContext, parts: Parts): void {
  const { ports, state } = parts;
  const items = state.restrictions.get(ctx, ALL_MARKETS)?.items ?? [];
  const gates = items.filter(({ source }) => GATES.includes(source));
  if (gates.length === 0) return;
  const { venue } = ports;
  if (!mayCount(ctx, ports)) return;
  for (const gate of gates) {
    if (gate.blocksLeft > 1) {
      replace(ctx, state, ALL_MARKETS, { ...gate, blocksLeft: gate.blocksLeft - 1 });
    } else {
      const over = ({ source }: { readonly source: Source }): boolean => source === gate.source;
      end(ctx, { state, venue }, ALL_MARKETS, over, "expired");
    }
  }
}
