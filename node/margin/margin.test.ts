import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { assess } from "./assess.ts";
import { modelJson, readModelFile } from "./model-file.ts";
import { parsePortfolio, readPortfolioFile } from "./portfolio-file.ts";
import { reportJson, reportText } from "./report.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "modules/margin/portfolio/models");
const files = readdirSync(folder);
const example = join(root, "node/margin/examples/hedged-options.json");
const s35 = readModelFile(join(folder, "keel-s35.json"));

interface Report {
  readonly equity: string;
  readonly initial: string;
  readonly maintenance: string;
  readonly binding_scenario: string;
  readonly add_ons: readonly { readonly name: string; readonly initial: string }[];
  readonly scenarios: readonly { readonly profit: string }[];
}

function report(portfolio: unknown, model = s35): Report {
  const file = parsePortfolio(portfolio, "portfolio");
  return reportJson(model, assess(model, file)) as Report;
}

const btc = { "BTC-USD": { price: "50000", volatility: "0.6" } };

describe("model files", () => {
  it.each(files)("%s is what it says when it is written again", (name) => {
    const path = join(folder, name);
    const model = readModelFile(path);
    expect(`${model.name}.json`).toBe(name);
    expect(modelJson(model)).toEqual(JSON.parse(readFileSync(path, "utf8")));
  });

  it("that are wrong are refused with the file and the field", () => {
    const path = join(mkdtempSync(join(tmpdir(), "keel-model-")), "bad.json");
    writeFileSync(
      path,
      JSON.stringify({ ...(modelJson(s35) as object), offset_cap_ppm: "900000" }),
    );
    expect(() => readModelFile(path)).toThrow(/bad\.json: .*offset_cap_ppm of 0 to 800000/);
    writeFileSync(path, JSON.stringify({ ...(modelJson(s35) as object), surprise: 1 }));
    expect(() => readModelFile(path)).toThrow(/bad\.json: .*surprise/);
    writeFileSync(path, "{");
    expect(() => readModelFile(path)).toThrow(/bad\.json/);
  });
});

describe("a portfolio file", () => {
  it("of one perpetual needs what the hand says", () => {
    const found = report({
      underlyings: btc,
      collateral: [{ asset: "usdc", amount: "6000" }],
      positions: [
        {
          kind: "perpetual",
          underlying: "BTC-USD",
          size: "1",
          lot: "0.001",
          unrealised_pnl: "-500",
        },
      ],
    });
    expect(found).toMatchObject({
      equity: "5500",
      initial: "5191.9005",
      maintenance: "4155.5205",
      binding_scenario: "BTC-USD price -10.36 %, volatility down",
    });
  });

  it("takes options of every kind, and their value is equity", () => {
    const option = { underlying: "BTC-USD", size: "1", days: "30", volatility: "0.6" };
    const found = report({
      underlyings: btc,
      positions: [
        { kind: "digital", ...option, right: "call", strike: "50000", payout: "1000" },
        { kind: "digital", ...option, right: "put", strike: "50000", payout: "1000" },
        { kind: "option", ...option, right: "call", strike: "50000" },
        { kind: "option", ...option, right: "put", strike: "50000", size: "-1" },
        { kind: "future", underlying: "BTC-USD", days: "30", size: "-1" },
        { kind: "asian", ...option, right: "call", strike: "5000000", averaging_hours: "24" },
      ],
    });
    // Both digitals pay 1,000 whatever happens; call less put is the future, which is sold.
    expect(Number(found.equity)).toBeCloseTo(1_000, 2);
    expect(Math.max(...found.scenarios.map(({ profit }) => Math.abs(Number(profit))))).toBeLessThan(
      30,
    );
  });

  it("hedges with collateral that moves with the underlying", () => {
    const eth = { "ETH-USD": { price: "3000", volatility: "0.7" } };
    const positions = [{ kind: "perpetual", underlying: "ETH-USD", size: "-10" }];
    const collateral = [
      { asset: "steth", amount: "10", price: "3000", redemption_rate: "1", base_price: "3000" },
    ];
    const hedged = report({ underlyings: eth, collateral, positions });
    const bare = report({
      underlyings: eth,
      collateral: [{ asset: "usdc", amount: "30000" }],
      positions,
    });
    expect(hedged.equity).toBe(bare.equity);
    // Its haircut is a tenth of 30,000.
    expect(hedged.add_ons.find(({ name }) => name === "collateral haircut")?.initial).toBe("3000");
    // But for half a quantum of each of 100,000 lots.
    expect(hedged.scenarios.every(({ profit }) => Math.abs(Number(profit)) <= 0.05)).toBe(true);
    expect(Number(bare.scenarios[26]?.profit)).toBeLessThan(-3_000);
  });

  it("under every shipped model has a table with each scenario, and a requirement", () => {
    for (const name of files) {
      const model = readModelFile(join(folder, name));
      const assessment = assess(model, readPortfolioFile(example));
      const text = reportText(model, assessment);
      expect(text.split("\n").filter((line) => line.includes("volatility "))).toHaveLength(
        model.scenarios.filter(({ skew }) => skew === 0).length,
      );
      expect(text).toMatch(/requirement +\d+\.\d\d +\d+\.\d\d/);
      expect(assessment.requirement.initial).toBeGreaterThan(assessment.requirement.maintenance);
    }
  });

  const wrong: [string, unknown, string][] = [
    [
      "a size that is no number",
      { underlyings: btc, positions: [{ kind: "perpetual", underlying: "BTC-USD", size: "1e3" }] },
      'positions.0.size: expected a decimal number, got "1e3"',
    ],
    ["an unknown field", { underlyings: btc, leverage: 3 }, "leverage"],
    [
      "a position in nothing",
      { underlyings: btc, positions: [{ kind: "perpetual", underlying: "XRP", size: "1" }] },
      'positions.0: underlyings has no "XRP"',
    ],
    [
      "part of a lot",
      {
        underlyings: btc,
        positions: [{ kind: "perpetual", underlying: "BTC-USD", size: "0.00001" }],
      },
      "positions.0: sizes are multiples of its lot",
    ],
    [
      "collateral without a price",
      { underlyings: btc, collateral: [{ asset: "usdt", amount: "5" }] },
      "collateral.0: expected a price of usdt",
    ],
  ];

  it.each(wrong)("with %s is refused with its place", (_what, portfolio, message) => {
    expect(() => report(portfolio)).toThrow(message);
  });
});
