/** A portfolio file under a model: positions become lots and risk arrays, collateral its value, and the margin engine says the rest. */
import type { Contract } from "@keel/modules/derivatives/instruments/contract";
import { PERPETUAL } from "@keel/modules/derivatives/instruments/contract";
import type { MarkInputs } from "@keel/modules/derivatives/instruments/contract-kind";
import { kinds } from "@keel/modules/derivatives/instruments/kinds";
import { scenarioPricer } from "@keel/modules/derivatives/instruments/scenario-price";
import { divFloor } from "@keel/modules/kit/math/mul-div";
import type { RiskPosition } from "@keel/modules/margin/portfolio/accumulate";
import { collateralValue, depegPpm } from "@keel/modules/margin/portfolio/collateral";
import type { PortfolioRequirement } from "@keel/modules/margin/portfolio/requirement";
import { portfolioRequirement } from "@keel/modules/margin/portfolio/requirement";
import type { RiskInstrument, UnderlyingRisk } from "@keel/modules/margin/portfolio/risk-array";
import { riskArray, underlyingRisk } from "@keel/modules/margin/portfolio/risk-array";
import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { ConfigError } from "../config/files.ts";
import type { FilePosition, PortfolioFile } from "./portfolio-file.ts";

const WAD = 10n ** 18n;
const DAY_MS = 86_400_000n;
const HOUR_MS = 3_600_000n;
const QUANTA_PER_UNIT = 1_000_000n;
/** Price × size, both 1e-18, over this is quanta. */
const QUANTA_SCALE = 10n ** 30n;

export interface Assessment {
  readonly requirement: PortfolioRequirement;
  /** Quanta. */
  readonly equity: bigint;
  readonly collateral: readonly { readonly asset: string; readonly value: bigint }[];
}

function quantaOf(amount: bigint): bigint {
  return divFloor(amount * QUANTA_PER_UNIT, WAD);
}

function contractOf(held: FilePosition): Contract {
  if (held.kind === "perpetual") return PERPETUAL;
  const expiryMs = Number(divFloor(held.days * DAY_MS, WAD));
  const windowMs =
    held.kind === "asian" ? Number(divFloor(held.averaging_hours * HOUR_MS, WAD)) : 0;
  const maturity = { expiryMs, windowMs, closeOnlyMs: 0 };
  if (held.kind === "future") return { kind: "datedFuture", maturity, option: null };
  const { right, strike } = held;
  const payout = held.kind === "digital" ? held.payout : 0n;
  const kind = {
    option: "europeanOption",
    digital: "digitalOption",
    asian: "asianOption",
  } as const;
  return {
    kind: kind[held.kind],
    maturity,
    option: { right, strike, volatilityFeedId: 0, volatilitySurfaceId: 0, payout },
  };
}

/** A contract without a market: priced by the formulas of the exchange, on its own forward. */
function instrumentOf(
  held: FilePosition,
  index: bigint,
): RiskInstrument & { readonly now: bigint } {
  const contract = contractOf(held);
  const { option, maturity } = contract;
  const spot = held.kind === "perpetual" ? index : (held.forward ?? index);
  const remainingMs = BigInt(maturity?.expiryMs ?? 0);
  const inputs: MarkInputs = {
    spot,
    forward: spot,
    averagedMs: 0n,
    mean: 0n,
    remainingMs,
    volatility: 0n,
  };
  const volatility = "volatility" in held ? held.volatility : 0n;
  return {
    kind: option !== null ? "option" : maturity === null ? "perpetual" : "future",
    expiry: maturity === null ? "" : maturity.expiryMs.toString(),
    remainingMs,
    strike: option?.strike ?? 0n,
    forward: spot,
    volatility,
    price: scenarioPricer(contract, inputs),
    units: held.lot,
    scale: QUANTA_SCALE,
    fundingPpmPerHour:
      held.kind === "perpetual" ? divFloor(held.funding_per_hour * 1_000_000n, WAD) : 0n,
    now: option === null ? 0n : kinds[contract.kind].mark(contract, { ...inputs, volatility }),
  };
}

export function assess(model: PortfolioModel, file: PortfolioFile): Assessment {
  const underlyings = new Map<string, UnderlyingRisk>();
  for (const [name, { price, volatility, oracle_width }] of Object.entries(file.underlyings)) {
    const oracleWidthPpm = divFloor(oracle_width * 1_000_000n, WAD);
    const risk = underlyingRisk(model, { name, price, volatility, oracleWidthPpm });
    if (risk === null) throw new ConfigError(`model ${model.name} has no rule for ${name}`);
    underlyings.set(name, risk);
  }
  const riskOf = (name: string, what: string): UnderlyingRisk => {
    const risk = underlyings.get(name);
    if (risk === undefined) throw new ConfigError(`${what}: underlyings has no "${name}"`);
    return risk;
  };
  let equity = 0n;
  const positions: RiskPosition[] = [];

  file.positions.forEach((held, i) => {
    const what = `positions.${i}`;
    const underlying = riskOf(held.underlying, what);
    const instrument = instrumentOf(held, underlying.state.price);
    const lots = (size: bigint): bigint => {
      const whole = divFloor(size, held.lot);
      if (whole * held.lot !== size)
        throw new ConfigError(`${what}: sizes are multiples of its lot`);
      return whole;
    };
    const array = riskArray(underlying, instrument);
    if (array === null) throw new ConfigError(`${what}: its lot is too large`);
    const size = lots(held.size);
    positions.push({ array, low: size - lots(held.open_sells), high: size + lots(held.open_buys) });
    equity += quantaOf(held.unrealised_pnl) + quantaOf(divFloor(held.size * instrument.now, WAD));
  });

  let initial = 0n;
  let maintenance = 0n;
  const collateral = file.collateral.map((held, i) => {
    const settlement = held.asset === file.settlement_asset;
    const { redemption_rate: rate, base_price: basePrice, price } = held;
    if (!settlement && price === undefined) {
      throw new ConfigError(`collateral.${i}: expected a price of ${held.asset}`);
    }
    const redemption = rate === undefined || basePrice === undefined ? null : { rate, basePrice };
    const { value, haircut, rule } = collateralValue(
      model,
      {
        asset: held.asset,
        settlement,
        units: held.amount,
        scale: QUANTA_SCALE,
        price: price ?? WAD,
        redemption,
        countedElsewhere: quantaOf(held.elsewhere),
      },
      file.stable_price,
    );
    equity += value;
    initial += haircut.initial;
    maintenance += haircut.maintenance;
    if (rule !== null && rule.underlying !== "" && value > 0n) {
      const underlying = riskOf(rule.underlying, `collateral.${i}`);
      const array = riskArray(underlying, spotInstrument(value, underlying.state.price));
      if (array === null) throw new ConfigError(`collateral.${i}: its value is too large`);
      positions.push({ array, low: 1n, high: 1n });
    }
    return { asset: held.asset, value };
  });
  const requirement = portfolioRequirement({
    model,
    positions,
    haircut: { initial, maintenance },
    depegPpm: depegPpm(model, file.stable_price),
    elsewhere: (name) => quantaOf(file.underlyings[name]?.elsewhere ?? 0n),
  });
  return { requirement, equity, collateral };
}

/** Collateral that moves with an underlying: one lot of all its value. */
function spotInstrument(value: bigint, price: bigint): RiskInstrument {
  return {
    kind: "spot",
    expiry: "",
    remainingMs: 0n,
    strike: 0n,
    forward: price,
    volatility: 0n,
    price: (move) => divFloor(price * (1_000_000n + move), 1_000_000n),
    units: value,
    scale: price,
    fundingPpmPerHour: 0n,
  };
}
