/** Bounded counters of how each validator reports. Halving them every window keeps them recent and small. */
import type { ValidatorReport, ValidatorReports } from "@keel/proto/gen/keel/oracle/v1/types";
import { bytesToKey } from "../kit/collections/codecs.ts";
import type { VoteQuality } from "./aggregate.ts";
import type { OracleValidator } from "./ports.ts";

export const NO_REPORTS: ValidatorReports = { updates: 0n, reports: [], lastHeight: 0n };

export interface Counted {
  readonly next: ValidatorReports;
  /** At the end of a window: the counters of those who are members, before they were halved. */
  readonly window: readonly ValidatorReport[] | null;
}

/** One update's qualities, in the order of `validators`, added to the counters. */
export function countReports(
  known: ValidatorReports,
  validators: readonly OracleValidator[],
  quality: readonly VoteQuality[],
  now: { readonly height: number; readonly windowBlocks: bigint },
): Counted {
  const byAddress = new Map<string, ValidatorReport>();
  for (const report of known.reports) byAddress.set(bytesToKey(report.address), report);
  const members = new Set<string>();
  validators.forEach(({ address }, i) => {
    const key = bytesToKey(address);
    members.add(key);
    const before = byAddress.get(key);
    const vote = quality[i];
    byAddress.set(key, {
      address,
      blocks: (before?.blocks ?? 0n) + 1n,
      missedBlocks: (before?.missedBlocks ?? 0n) + (vote?.missed === false ? 0n : 1n),
      missedFeeds: (before?.missedFeeds ?? 0n) + (vote?.missedFeeds ?? 0n),
      deviantVotes: (before?.deviantVotes ?? 0n) + (vote?.deviantVotes ?? 0n),
    });
  });
  const updates = known.updates + 1n;
  const halve = updates >= now.windowBlocks;
  const reports: ValidatorReport[] = [];
  const window: ValidatorReport[] = [];
  const entries = [...byAddress].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [key, report] of entries) {
    // Whoever left the set is forgotten at the end of the window.
    if (halve && !members.has(key)) continue;
    if (halve) window.push(report);
    reports.push(halve ? halved(report) : report);
  }
  const next = { updates: halve ? 0n : updates, reports, lastHeight: BigInt(now.height) };
  return { next, window: halve ? window : null };
}

function halved(report: ValidatorReport): ValidatorReport {
  return {
    address: report.address,
    blocks: report.blocks >> 1n,
    missedBlocks: report.missedBlocks >> 1n,
    missedFeeds: report.missedFeeds >> 1n,
    deviantVotes: report.deviantVotes >> 1n,
  };
}
