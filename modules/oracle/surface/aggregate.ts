/**
 * From validators' votes to one set of SSVI parameters, pure: the lower stake-weighted median of each coordinate by itself. So while less than a
 * third of power is dishonest, every coordinate stays among the values of honest validators; what makes the coordinates fit each other is
 * `project.ts`, and the set without arbitrage is of a form (a box, and thetas in order) that medians of its members hardly leave.
 */
import type { Surface, SurfaceExpiryVote, SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { absolute, compareBigints, mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import { isQuorum, type ValidatorVote, type Weighted, weightedMedian } from "../aggregate.ts";
import { EXPIRIES_MAX } from "../limits.ts";

export interface Shape {
  readonly rhoPpm: number;
  readonly etaPpm: number;
  readonly gammaPpm: number;
}

export interface SurfaceResult {
  readonly surface: Surface;
  readonly reportingPowerPpm: bigint;
  /** Null: too little power reported; the old parameters stay and age. */
  readonly shape: Shape | null;
  /** Ascending; those with a quorum of their own. */
  readonly expiries: readonly SurfaceExpiryVote[];
  /** In the order of the votes given. */
  readonly missed: readonly boolean[];
  readonly deviant: readonly boolean[];
}

interface Reporter {
  readonly power: bigint;
  readonly vote: SurfaceVote;
}

/** `votes` has one entry per validator of the set. Expiries that are not ahead of `nowMs` count for nothing. */
export function aggregateSurface(
  votes: readonly ValidatorVote[],
  surface: Surface,
  nowMs: bigint,
): SurfaceResult {
  let powerTotal = 0n;
  let reportingPower = 0n;
  const reporters: Reporter[] = [];
  const own = votes.map(({ power, vote }) => {
    powerTotal += power;
    const found = vote?.surfaces.find(({ surfaceId }) => surfaceId === surface.id);
    if (found !== undefined) {
      reportingPower += power;
      reporters.push({ power, vote: found });
    }
    return found;
  });
  const reportingPowerPpm = powerTotal === 0n ? 0n : mulDivDown(reportingPower, PPM, powerTotal);
  const enough = (power: bigint): boolean => power > 0n && isQuorum(power, powerTotal, surface);
  const expiries = enough(reportingPower) ? medianExpiries(reporters, enough, nowMs) : [];
  return {
    surface,
    reportingPowerPpm,
    shape: enough(reportingPower) ? medianShape(reporters) : null,
    expiries,
    missed: votes.map(({ vote }, i) => vote !== null && own[i] === undefined),
    deviant: own.map((vote) => vote !== undefined && deviates(vote, expiries, surface)),
  };
}

function medianOf(reporters: readonly Reporter[], of: (vote: SurfaceVote) => number): number {
  return Number(
    weightedMedian(reporters.map(({ power, vote }) => ({ power, value: BigInt(of(vote)) }))),
  );
}

function medianShape(reporters: readonly Reporter[]): Shape {
  return {
    rhoPpm: medianOf(reporters, ({ rhoPpm }) => rhoPpm),
    etaPpm: medianOf(reporters, ({ etaPpm }) => etaPpm),
    gammaPpm: medianOf(reporters, ({ gammaPpm }) => gammaPpm),
  };
}

function medianExpiries(
  reporters: readonly Reporter[],
  enough: (power: bigint) => boolean,
  nowMs: bigint,
): SurfaceExpiryVote[] {
  const found = new Map<bigint, { power: bigint; thetas: Weighted[]; bases: Weighted[] }>();
  for (const { power, vote } of reporters) {
    for (const { expiryMs, theta, basisPpm } of vote.expiries) {
      if (expiryMs <= nowMs) continue;
      const known = found.get(expiryMs) ?? { power: 0n, thetas: [], bases: [] };
      found.set(expiryMs, known);
      known.power += power;
      known.thetas.push({ power, value: theta });
      known.bases.push({ power, value: BigInt(basisPpm) });
    }
  }
  return [...found]
    .filter(([, { power }]) => enough(power))
    .sort(([a], [b]) => compareBigints(a, b))
    .slice(0, EXPIRIES_MAX)
    .map(([expiryMs, { thetas, bases }]) => ({
      expiryMs,
      theta: weightedMedian(thetas),
      basisPpm: Number(weightedMedian(bases)),
    }));
}

/** Some theta lies further from its median than the surface allows. */
function deviates(
  vote: SurfaceVote,
  medians: readonly SurfaceExpiryVote[],
  { maxDeviationPpm }: Surface,
): boolean {
  return medians.some((median) => {
    const own = vote.expiries.find(({ expiryMs }) => expiryMs === median.expiryMs);
    return (
      own !== undefined && absolute(own.theta - median.theta) * PPM > median.theta * maxDeviationPpm
    );
  });
}
