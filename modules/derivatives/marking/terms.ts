/** Terms of a bounded median mark: defaults, and what is refused. */
import type { MarkTerms } from "@keel/proto/gen/keel/derivatives/v1/marks";
import { PPM } from "../../kit/math/mul-div.ts";

const HOUR_MS = 3_600_000n;

/** 10,000 units of depth; means of 150 s and 30 s; within 0.5 % of the index, or 3 √5 one-minute deviations up to 5 %. */
export function defaultMarkTerms(): MarkTerms {
  return {
    impactNotional: 10_000_000_000n,
    slowTimeMs: 150_000n,
    fastTimeMs: 30_000n,
    bandMinPpm: 5_000n,
    bandMaxPpm: 50_000n,
    bandSigmasPpm: 6_708_204n,
    externalFeedId: 0,
  };
}

/** What is wrong with them, or null. */
export function markTermsFault(terms: MarkTerms): string | null {
  if (terms.impactNotional < 1n) return "expected a positive impact notional of the mark";
  const constants = [terms.slowTimeMs, terms.fastTimeMs];
  if (constants.some((ms) => ms < 1n || ms > HOUR_MS)) {
    return "expected means of the mark over 1 ms to an hour";
  }
  if (terms.bandMinPpm > terms.bandMaxPpm || terms.bandMaxPpm > PPM / 2n) {
    return "expected bands of the mark that ascend to at most 50 %";
  }
  return terms.bandSigmasPpm > 100n * PPM ? "expected a band of at most 100 deviations" : null;
}
