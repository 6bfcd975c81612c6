/** The models that ship as JSON files, as messages: for tests and benches, which have no descriptors to read ProtoJSON with. */
import { PortfolioModel, SkewMove, VolatilityMove } from "@keel/proto/gen/keel/margin/v1/portfolio";
import deribit from "../models/deribit-pm.json" with { type: "json" };
import derive from "../models/derive-pmrm-v2.json" with { type: "json" };
import s35 from "../models/keel-s35.json" with { type: "json" };
import paradex from "../models/paradex-pm.json" with { type: "json" };
import span from "../models/span-16.json" with { type: "json" };

const TEXTS = new Set(["name", "underlying", "asset", "daily_volume", "cap"]);

function camel(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function read(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => read(key, entry));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [camel(name), read(name, inner)]),
    );
  }
  if (typeof value !== "string" || TEXTS.has(key)) return value;
  if (key === "volatility") return VolatilityMove[value as keyof typeof VolatilityMove];
  if (key === "skew") return SkewMove[value as keyof typeof SkewMove];
  return BigInt(value);
}

function modelOf(json: unknown): PortfolioModel {
  return PortfolioModel.fromPartial(read("", json) as Partial<PortfolioModel>);
}

export const models: Readonly<
  Record<"s35" | "derive" | "deribit" | "paradex" | "span", PortfolioModel>
> = {
  s35: modelOf(s35),
  derive: modelOf(derive),
  deribit: modelOf(deribit),
  paradex: modelOf(paradex),
  span: modelOf(span),
};
