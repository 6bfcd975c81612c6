/** Surfaces as data: defaults, and what is refused. */
import type { Surface } from "@keel/proto/gen/keel/oracle/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { absolute, PPM } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import { emitSurfaceListed } from "../events.ts";
import { feedsMax, SYMBOL } from "../feeds.ts";
import {
  BASIS_BOUND_STEP_PPM,
  MAX_AGE_MS_CEILING,
  SURFACES_MAX,
  SYMBOL_LENGTH_MAX,
  TURNS_MAX,
} from "../limits.ts";
import type { OracleState } from "../state.ts";
import { timeLeftNs } from "./project.ts";
import { forwardBoundPpm } from "./smile.ts";

/** Ten seconds fresh, a minute held, more than two thirds of power; 5 % per update, forwards within 50 % a year, turns of sixteen blocks. */
export function defaultSurface(surface: {
  readonly id: number;
  readonly symbol: string;
  readonly feedId: number;
}): Surface {
  return {
    ...surface,
    maxAgeMs: 10_000n,
    holdMs: 60_000n,
    minReportingPowerPpm: 666_667n,
    maxDeviationPpm: 100_000n,
    stepMaxPpm: 50_000n,
    shapeStepMaxPpm: 50_000n,
    basisMaxPpm: 500_000n,
    repricingBlocks: 16,
    repricingAgeMaxMs: 30_000n,
    enabled: true,
  };
}

export function validateSurface(surface: Surface): void {
  const require = (condition: boolean, message: string): void => {
    if (!condition) throw refuse("invalidRequest", `surface ${surface.id}: ${message}`);
  };
  const age = (ms: bigint): boolean => ms >= 1n && ms <= MAX_AGE_MS_CEILING;
  const share = (ppm: bigint): boolean => ppm >= 1n && ppm <= PPM;
  const { symbol, repricingBlocks } = surface;
  require(surface.id >= 1, "expected an id of at least 1");
  require(symbol.length <= SYMBOL_LENGTH_MAX &&
    SYMBOL.test(symbol), `expected a symbol, got "${symbol.slice(0, 50)}"`);
  require(age(surface.maxAgeMs) &&
    age(surface.repricingAgeMaxMs), "expected ages of 1 ms to a day");
  require(surface.holdMs <= MAX_AGE_MS_CEILING, "expected to be held for at most a day");
  require(surface.minReportingPowerPpm <= PPM, "expected a reporting power of at most 100 %");
  require(share(surface.maxDeviationPpm), "expected a deviation of at most 100 %");
  require(share(surface.stepMaxPpm) &&
    share(surface.shapeStepMaxPpm), "expected steps of 1 to 1,000,000 ppm");
  require(surface.basisMaxPpm <= PPM, "expected a basis of at most 100 % a year");
  require(repricingBlocks >= 1 &&
    repricingBlocks <= TURNS_MAX, `expected 1 to ${TURNS_MAX} repricing blocks`);
}

/** Adds or replaces. Id, symbol and feed of a known surface stay: markets rely on them. */
export function putSurface(ctx: WriteContext, state: OracleState, surface: Surface): void {
  validateSurface(surface);
  if (!state.feeds.has(ctx, surface.feedId)) {
    throw refuse("unknownFeed", `surface ${surface.id}: there is no feed ${surface.feedId}`);
  }
  const known = state.surfaces.get(ctx, surface.id);
  if (known === undefined) {
    const surfaces = state.surfaces.size(ctx) + 1;
    if (surfaces > SURFACES_MAX || state.feeds.size(ctx) > feedsMax(surfaces)) {
      throw refuse(
        "tooManySurfaces",
        `expected at most ${SURFACES_MAX} surfaces, and ${feedsMax(surfaces)} feeds beside ${surfaces}`,
      );
    }
    requireUnusedSymbol(ctx, state, surface.symbol);
  } else if (known.symbol !== surface.symbol || known.feedId !== surface.feedId) {
    throw refuse(
      "invalidRequest",
      `surface ${surface.id} is ${known.symbol} on feed ${known.feedId} for good`,
    );
  } else if (known.repricingBlocks !== surface.repricingBlocks) {
    // Turns are counted anew.
    for (let turn = 0; turn < known.repricingBlocks; turn++) {
      state.surfaceAnchors.delete(ctx, [surface.id, turn]);
    }
  }
  if (known !== undefined) requireSteadyForwards(ctx, state, known, surface);
  state.surfaces.set(ctx, surface.id, surface);
  emitSurfaceListed(ctx, surface);
}

/**
 * The bound on forwards holds at once, for marks too. Where it cuts off what is voted, or would, it moves in small steps: a larger one could put accounts
 * under water that are healthy.
 */
function requireSteadyForwards(
  ctx: ReadContext,
  state: OracleState,
  known: Surface,
  surface: Surface,
): void {
  const { id, basisMaxPpm } = surface;
  if (absolute(basisMaxPpm - known.basisMaxPpm) <= BASIS_BOUND_STEP_PPM) return;
  const tighter = basisMaxPpm < known.basisMaxPpm ? surface : known;
  for (const { expiryMs, basisPpm } of state.surfaceParameters.get(ctx, id)?.expiries ?? []) {
    const leftNs = timeLeftNs(expiryMs, ctx.header.timeNs);
    const isCut = absolute(BigInt(basisPpm)) > forwardBoundPpm(tighter, leftNs);
    if (leftNs <= 0n || !isCut) continue;
    throw refuse(
      "boundTooFar",
      `surface ${id}: the forward of ${expiryMs} is voted at ${basisPpm} ppm, so basis_max_ppm may go from ${known.basisMaxPpm} by at most ${BASIS_BOUND_STEP_PPM} at a time, got ${basisMaxPpm}`,
    );
  }
}

function requireUnusedSymbol(ctx: ReadContext, state: OracleState, symbol: string): void {
  state.surfaces.each(ctx, (id, surface) => {
    if (surface.symbol === symbol) {
      throw refuse("invalidRequest", `symbol ${symbol} belongs to surface ${id}`);
    }
  });
}
