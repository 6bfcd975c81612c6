/**
 * Surface SVI (Gatheral and Jacquier, arXiv 1204.0646): total variance of a strike k = ln(K/F) at an expiry with at-the-money total variance θ,
 *   w(k) = θ/2 · (1 + ρ·φ·k + √((φ·k + ρ)² + 1 − ρ²)),   φ = η / (θ^γ · (1 + θ)^(1 − γ)).
 * Without butterfly and calendar arbitrage while η·(1 + |ρ|) ≤ 2, 0 < γ ≤ 1/2 and θ never falls with expiry. In Q inside, so that a surface of
 * a thousand strikes costs no rounding; errors stay below 2^-100 relative, which no volatility in 1e-18 shows.
 */
import { expQ } from "./exp.ts";
import {
  mulQ,
  Q_BITS,
  Q_ONE,
  qFromWad,
  requireWithin,
  WAD,
  wadFromQ,
  YEAR_SECONDS,
} from "./fixed-point.ts";
import { lnRatioQ } from "./log.ts";
import { divFloor } from "./mul-div.ts";
import { integerSqrt } from "./square-root.ts";

/** What all expiries share, 1e-18. */
export interface SsviShape {
  readonly rho: bigint;
  readonly eta: bigint;
  readonly gamma: bigint;
}

/** One expiry, in Q. */
export interface SsviSlice {
  readonly theta: bigint;
  readonly rho: bigint;
  readonly phi: bigint;
}

/** w and its first two derivatives by k, in Q; derivatives are made when they are read, since most ask for the variance alone. */
export interface SsviPoint {
  readonly variance: bigint;
  readonly slope: bigint;
  readonly curvature: bigint;
}

const Q_ONE_SQUARED = Q_ONE << Q_BITS;

/** Total variance of 20: 200 % for five years. */
export const THETA_MAX: bigint = 20n * WAD;

/** θ in 1e-18, from 1 unit. Refuses what lies outside −1 < ρ < 1, 0 < η ≤ 2, 0 < γ ≤ 1/2. */
export function ssviSlice({ rho, eta, gamma }: SsviShape, theta: bigint): SsviSlice {
  requireWithin("rho", rho, 1n - WAD, WAD - 1n);
  requireWithin("eta", eta, 1n, 2n * WAD);
  requireWithin("gamma", gamma, 1n, WAD / 2n);
  requireWithin("theta", theta, 1n, THETA_MAX);
  const power = qFromWad(gamma);
  const exponent =
    mulQ(power, lnRatioQ(theta, WAD)) + mulQ(Q_ONE - power, lnRatioQ(WAD + theta, WAD));
  const phi = mulQ(qFromWad(eta), expQ(-exponent));
  return { theta: qFromWad(theta), rho: qFromWad(rho), phi };
}

/** At a strike, for a forward; both positive, in the same unit. */
export function ssviPoint(
  { theta, rho, phi }: SsviSlice,
  forward: bigint,
  strike: bigint,
): SsviPoint {
  const x = mulQ(phi, lnRatioQ(strike, forward));
  const rest = Q_ONE_SQUARED - rho * rho;
  const leaning = x + rho;
  const root = integerSqrt(leaning * leaning + rest);
  const half = theta >> 1n;
  return {
    variance: mulQ(half, Q_ONE + mulQ(rho, x) + root),
    get slope() {
      return mulQ(mulQ(half, phi), rho + divFloor(leaning << Q_BITS, root));
    },
    get curvature() {
      const cube = mulQ(mulQ(root, root), root);
      return mulQ(mulQ(half, mulQ(phi, phi)), divFloor(rest, cube));
    },
  };
}

/** Annual volatility of a total variance (Q) over `seconds` > 0, 1e-18, toward zero. */
export function volatilityOfVariance(variance: bigint, seconds: bigint): bigint {
  return integerSqrt(divFloor(variance * WAD * WAD * YEAR_SECONDS, seconds) >> Q_BITS);
}

/**
 * How that volatility changes per 1 of the forward's relative rise at a fixed strike, 1e-18: −w'/(2·√(w·T)). A surface moves with its forward.
 */
export function volatilitySkew(point: SsviPoint, volatility: bigint, seconds: bigint): bigint {
  if (volatility === 0n) return 0n;
  const slope = wadFromQ(point.slope);
  return -divFloor(slope * WAD * YEAR_SECONDS, 2n * volatility * seconds);
}
