/** Portfolio margin: what the risk arrays of a surface cost once, and what the requirement of 100 positions costs each time. */
import type { Contract } from "@keel/modules/derivatives/instruments/contract";
import { scenarioPricer } from "@keel/modules/derivatives/instruments/scenario-price";
import type { RiskPosition } from "@keel/modules/margin/portfolio/accumulate";
import { portfolioRequirement } from "@keel/modules/margin/portfolio/requirement";
import {
  type RiskArray,
  type RiskInstrument,
  riskArray,
  type UnderlyingRisk,
  underlyingRisk,
} from "@keel/modules/margin/portfolio/risk-array";
import { future, option, perpetual } from "@keel/modules/margin/portfolio/testing/instruments";
import { models } from "@keel/modules/margin/portfolio/testing/models";
import { ownSeconds } from "../machine.ts";
import type { Measurement } from "../report.ts";

const POSITIONS = 100;
const ROUNDS = 3_000;
const MARK_MICROSECONDS = 250;
const FORWARD = 60_000n;
const WAD = 10n ** 18n;

function underlying(model: keyof typeof models, name: string, price: bigint): UnderlyingRisk {
  const state = { name, price: price * WAD, volatility: (6n * WAD) / 10n, oracleWidthPpm: 1_000n };
  const risk = underlyingRisk(models[model], state);
  if (risk === null) throw new Error(`model ${model} has no rule for ${name}`);
  return risk;
}

/** A perpetual, ten futures and 39 options of ten expiries. */
function instruments(price: bigint): RiskInstrument[] {
  const out: RiskInstrument[] = [perpetual(price, 10n)];
  for (let i = 0n; i < 49n; i++) {
    const days = 3n + 9n * (i % 10n);
    const right = i % 2n === 0n ? "call" : "put";
    if (i < 10n) out.push(future(price, days));
    else {
      const strike = (price * (70n + i)) / 100n;
      out.push(option({ right, forward: price, strike, days, volatilityPpm: 550_000n }));
    }
  }
  return out;
}

function arraysOf(model: keyof typeof models): RiskArray[] {
  return [
    [underlying(model, "BTC-USD", 60_000n), 60_000n] as const,
    [underlying(model, "ETH-USD", 3_000n), 3_000n] as const,
  ].flatMap(([risk, price]) =>
    instruments(price).map((instrument) => {
      const array = riskArray(risk, instrument);
      if (array === null) throw new Error("a lot is too large");
      return array;
    }),
  );
}

function measureRequirement(
  title: string,
  model: keyof typeof models,
  scale: bigint,
  mark: Measurement["mark"],
): Measurement {
  const positions: RiskPosition[] = arraysOf(model).map((array, i) => {
    const lots = BigInt(((i * 7_919) % 2_001) - 1_000) * scale;
    return { array, low: lots, high: lots };
  });
  if (positions.length !== POSITIONS) throw new Error(`expected ${POSITIONS} positions`);
  const once = (): bigint =>
    portfolioRequirement({
      model: models[model],
      positions,
      haircut: { initial: 0n, maintenance: 0n },
      depegPpm: 0n,
      elsewhere: () => 0n,
    }).initial;
  let sum = 0n;
  for (let i = 0; i < ROUNDS / 3; i++) sum += once();
  const cpu = ownSeconds();
  const start = performance.now();
  for (let i = 0; i < ROUNDS; i++) sum += once();
  const wall = (performance.now() - start) / 1000;
  return {
    name: title,
    value: ((ownSeconds() - cpu) / ROUNDS) * 1e6,
    unit: "µs of processor time",
    mark,
    details: {
      "wall clock, µs": (wall / ROUNDS) * 1e6,
      scenarios: models[model].scenarios.length,
      "requirement, quanta": Number(sum / BigInt(ROUNDS + ROUNDS / 3)),
    },
  };
}

/** As a market on the exchange is priced in scenarios. */
function listed(terms: {
  readonly right: "call" | "put";
  readonly strike: bigint;
  readonly days: bigint;
}): RiskInstrument {
  const { right, strike, days } = terms;
  const priced = option({ right, forward: FORWARD, strike, days, volatilityPpm: 550_000n });
  const maturity = { expiryMs: 0, windowMs: 0, closeOnlyMs: 0 };
  const wanted = { right, strike: strike * WAD, payout: 0n };
  const contract: Contract = {
    kind: "europeanOption",
    maturity,
    option: { ...wanted, volatilityFeedId: 1, volatilitySurfaceId: 0 },
  };
  const { forward, remainingMs, volatility } = priced;
  const inputs = { spot: forward, forward, averagedMs: 0n, mean: 0n, remainingMs, volatility };
  return { ...priced, price: scenarioPricer(contract, inputs) };
}

function measureArrays(): Measurement {
  const risk = underlying("s35", "BTC-USD", FORWARD);
  const options = Array.from({ length: 500 }, (_, i) => ({
    right: i % 2 === 0 ? ("call" as const) : ("put" as const),
    strike: BigInt(30_000 + 1_200 * (i % 50)),
    days: BigInt(1 + Math.floor(i / 50) * 9),
  }));
  for (const one of options.slice(0, 100)) riskArray(risk, listed(one));
  const cpu = ownSeconds();
  for (const one of options) riskArray(risk, listed(one));
  return {
    name: "risk array of one option, 35 scenarios",
    value: ((ownSeconds() - cpu) / options.length) * 1e6,
    unit: "µs of processor time",
    mark: null,
    details: { options: options.length },
  };
}

export function benchPortfolioMargin(): Measurement[] {
  const mark = { atMost: MARK_MICROSECONDS };
  return [
    measureRequirement("portfolio requirement, 100 positions", "s35", 1n, mark),
    measureRequirement("the same with sums beyond 2^53", "s35", 1n << 24n, null),
    measureRequirement("the same with discounted expiries", "derive", 1n, null),
    measureArrays(),
  ];
}
