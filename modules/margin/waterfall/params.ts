/** Parameters of the waterfall: what is refused, and what stands for what is not said. */
import type { TailTerms, WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import { refuse } from "../errors.ts";

const FEEDS_MAX = 1_024;
const STRESS_MOVES_MAX = 32;
const RISK_CLASS = /^[a-z0-9-]{1,32}$/;
/** A price cannot fall further, and ten times as much is more than a margin system is for. */
const MOVE_MIN_PPM = -1_000_000n;
const MOVE_MAX_PPM = 10_000_000n;

const STRESS_MOVES_DEFAULT = [-400_000n, -200_000n, -100_000n, 100_000n, 200_000n, 400_000n];
/** Ten years of daily BTC closes: one day in a hundred moves more than 12.15 %, and beyond it the tail index is 4.3. */
const TAIL_DEFAULT: TailTerms = {
  exceedancePpm: 10_000,
  thresholdPpm: 121_500,
  alphaPpm: 4_300_000,
  atMarginPpm: 100_000,
};
const OPEN_INTEREST_DEFAULT_PPM = 5_000n;

export interface Measures {
  readonly movesPpm: readonly bigint[];
  readonly tail: TailTerms;
  readonly openInterestPpm: bigint;
}

/** What funds are measured by, with the defaults in place of what is not said. */
export function measuresOf(params: WaterfallParams | undefined): Measures {
  const { stressMovesPpm: moves = [], tail = TAIL_DEFAULT, openInterestPpm = 0 } = params ?? {};
  return {
    movesPpm: moves.length === 0 ? STRESS_MOVES_DEFAULT : moves,
    tail: tail.atMarginPpm === 0 ? { ...tail, atMarginPpm: TAIL_DEFAULT.atMarginPpm } : tail,
    openInterestPpm: openInterestPpm === 0 ? OPEN_INTEREST_DEFAULT_PPM : BigInt(openInterestPpm),
  };
}

/** Throws ModuleError on anything out of range. */
export function validateWaterfall(params: WaterfallParams): void {
  requireThat(params.feeds.length <= FEEDS_MAX, `expected at most ${FEEDS_MAX} feeds`);
  let last = -1;
  for (const { feedId, riskClass } of params.feeds) {
    requireThat(feedId > last, "expected feeds in ascending order, each once");
    requireThat(
      RISK_CLASS.test(riskClass),
      `expected a risk class, got "${riskClass.slice(0, 50)}"`,
    );
    last = feedId;
  }
  requireThat(params.deleverageSharePpm <= 1_000_000, "expected a share of at most 1000000 ppm");
  requireThat(params.gainsHaircutPpm <= 500_000, "expected a haircut of at most half the gains");
  requireThat(params.openInterestPpm <= 1_000_000, "expected at most all of the open interest");
  const { stressMovesPpm: moves, tail } = params;
  requireThat(moves.length <= STRESS_MOVES_MAX, `expected at most ${STRESS_MOVES_MAX} moves`);
  for (const move of moves) {
    const known = move >= MOVE_MIN_PPM && move <= MOVE_MAX_PPM;
    requireThat(known, `expected a move of -100 to 1000 %, got ${move} ppm`);
  }
  if (tail === undefined) return;
  requireThat(
    tail.alphaPpm > 1_000_000 && tail.alphaPpm <= 100_000_000,
    "expected a tail index above 1, at most 100",
  );
  const shares = [tail.exceedancePpm, tail.thresholdPpm];
  requireThat(
    shares.every((share) => share > 0 && share <= 1_000_000) && tail.atMarginPpm <= 1_000_000,
    "expected shares of 1 to 1000000 ppm",
  );
}

function requireThat(condition: boolean, message: string): void {
  if (!condition) throw refuse("invalidRequest", message);
}
