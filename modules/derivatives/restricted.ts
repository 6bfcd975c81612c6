/** A market as it is while the guard restricts it: its status and its cap on open interest, tightened and never loosened. */

import type { Instrument } from "./instruments.ts";
import type { GuardPort, MarketRestriction } from "./ports.ts";

/** Nobody restricts anything. */
export const UNGUARDED: GuardPort = { restriction: () => null };

interface Made {
  readonly level: MarketRestriction["level"];
  readonly cap: bigint;
  readonly instrument: Instrument;
}

// The same restriction of the same market is asked for by every order of a block.
const last = new WeakMap<Instrument, Made>();

function statusUnder(
  status: Instrument["status"],
  level: MarketRestriction["level"],
): Instrument["status"] {
  if (level === "none" || (status !== "active" && status !== "closeOnly")) return status;
  return level;
}

export function restricted(
  instrument: Instrument,
  restriction: MarketRestriction | null,
): Instrument {
  if (restriction === null) return instrument;
  const { level, openInterestMaxLots: cap } = restriction;
  const known = last.get(instrument);
  if (known?.level === level && known.cap === cap) return known.instrument;
  const own = instrument.terms.openInterestMaxLots;
  const openInterestMaxLots = cap !== 0n && (own === 0n || cap < own) ? cap : own;
  const status = statusUnder(instrument.status, level);
  const made = { ...instrument, status, terms: { ...instrument.terms, openInterestMaxLots } };
  last.set(instrument, { level, cap, instrument: made });
  return made;
}
