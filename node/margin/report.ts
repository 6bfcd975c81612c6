/** An assessment for people and for programs. */

import { scenarioText } from "@keel/modules/margin/portfolio/shocks";
import { bindingText, money, verdictOf } from "@keel/modules/margin/portfolio/verdict";
import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import type { Assessment } from "./assess.ts";

/** Everything as decimal text in units of money. */
export function reportJson(model: PortfolioModel, assessment: Assessment): unknown {
  const { requirement, equity, collateral } = assessment;
  const { scan } = requirement;
  const { shortfall } = verdictOf(requirement, equity);
  return {
    model: model.name,
    equity: money(equity),
    initial: money(requirement.initial),
    maintenance: money(requirement.maintenance),
    shortfall: {
      initial: money(shortfall.initial),
      maintenance: money(shortfall.maintenance),
    },
    binding_scenario: bindingText(model, scan),
    scenario_part: {
      loss: money(scan.loss),
      offset: money(scan.offset),
      initial: money(requirement.scenarios.initial),
      maintenance: money(requirement.scenarios.maintenance),
    },
    add_ons: requirement.addOns.map(({ name, initial, maintenance }) => ({
      name,
      initial: money(initial),
      maintenance: money(maintenance),
    })),
    collateral: collateral.map(({ asset, value }) => ({ asset, value: money(value) })),
    scenarios: model.scenarios.map((scenario, i) => ({
      profit: money(-(scan.losses[i] ?? 0n)),
      underlyings: scan.underlyings.map(({ underlying, losses }) => ({
        underlying: underlying.state.name,
        scenario: scenarioText(scenario, underlying.movesPpm[i] ?? 0n),
        weight_ppm: (underlying.weightsPpm[i] ?? 0n).toString(),
        profit: money(-(losses[i] ?? 0n)),
      })),
    })),
    ranges: scan.underlyings.map(({ underlying }) => ({
      underlying: underlying.state.name,
      range_ppm: underlying.rangePpm.toString(),
    })),
  };
}

const CENT = 10_000n;

/** Whole cents, half away from zero: tables are read, not computed with. */
function cents(quanta: bigint): string {
  const size = quanta < 0n ? -quanta : quanta;
  const rounded = (size + CENT / 2n) / CENT;
  const text = `${rounded / 100n}.${(rounded % 100n).toString().padStart(2, "0")}`;
  return quanta < 0n && rounded > 0n ? `-${text}` : text;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

export function reportText(model: PortfolioModel, assessment: Assessment): string {
  const { requirement, equity, collateral } = assessment;
  const { scan, scenarios } = requirement;
  const { shortfall } = verdictOf(requirement, equity);
  const lines = [`model ${model.name}`, ""];
  const names = scan.underlyings.map(({ underlying }) => underlying.state.name);
  const rows = model.scenarios.map((scenario, i) => {
    const [first] = scan.underlyings;
    const same = scan.underlyings.every(
      ({ underlying }) => underlying.movesPpm[i] === first?.underlying.movesPpm[i],
    );
    const name = same
      ? scenarioText(scenario, first?.underlying.movesPpm[i] ?? 0n)
      : `${Number(scenario.rangePpm) / 10_000} % of each range, ${scenarioText(scenario, 0n).split(", ")[1]}`;
    const each = scan.underlyings.map(({ losses }) => cents(-(losses[i] ?? 0n)));
    const all = names.length > 1 ? [cents(-(scan.losses[i] ?? 0n))] : [];
    const weight = (Number(first?.underlying.weightsPpm[i] ?? 0n) / 10_000).toFixed(2);
    return [name, `${weight} %`, ...each, ...all, i === scan.binding ? "worst" : ""];
  });
  if (names.length > 0) {
    const head = ["scenario", "counted", ...names, ...(names.length > 1 ? ["together"] : []), ""];
    lines.push(...table(head, rows), "");
  }
  const charges = [
    ["worst scenario x factor", cents(scenarios.initial), cents(scenarios.maintenance)],
    ...requirement.addOns.map(({ name, initial, maintenance }) => [
      name,
      cents(initial),
      cents(maintenance),
    ]),
    ["requirement", cents(requirement.initial), cents(requirement.maintenance)],
    ["equity", cents(equity), cents(equity)],
    ["shortfall", cents(shortfall.initial), cents(shortfall.maintenance)],
  ];
  lines.push(...table(["", "initial", "maintenance"], charges));
  const own = scan.underlyings.map(
    ({ underlying, loss }) => `${underlying.state.name} ${cents(loss)}`,
  );
  if (names.length > 1) {
    lines.push(
      "",
      `losses of each underlying: ${own.join(", ")}; saved together: ${cents(scan.offset)}`,
    );
  }
  if (collateral.length > 0) {
    const parts = collateral.map(({ asset, value }) => `${asset} ${cents(value)}`);
    lines.push("", `collateral: ${parts.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}
