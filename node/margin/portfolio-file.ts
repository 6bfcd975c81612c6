/** A portfolio to be judged by a margin model: collateral, positions and the market they are valued at, as JSON with decimal strings. */
import { parseDecimal } from "@keel/modules/kit/math/decimal";
import { z } from "zod";
import { ConfigError, readText } from "../config/files.ts";

const WAD_PLACES = 18;

/** Numbers are 1e-18. */
interface Held {
  readonly underlying: string;
  /** Long positive. */
  readonly size: bigint;
  /** Smallest size; sizes are multiples of it. */
  readonly lot: bigint;
  readonly open_buys: bigint;
  readonly open_sells: bigint;
  /** Profit not yet paid; the value of an option is added to it. */
  readonly unrealised_pnl: bigint;
}

interface Dated extends Held {
  readonly days: bigint;
  /** The price for delivery then, if it is not the index price. */
  readonly forward?: bigint | undefined;
}

interface Optional extends Dated {
  readonly right: "call" | "put";
  readonly strike: bigint;
  readonly volatility: bigint;
}

/** `averaging_hours`: pays on the mean of the last hours, none of which is gone by. */
export type FilePosition =
  | (Held & { readonly kind: "perpetual"; readonly funding_per_hour: bigint })
  | (Dated & { readonly kind: "future" })
  | (Optional & { readonly kind: "option" })
  | (Optional & { readonly kind: "digital"; readonly payout: bigint })
  | (Optional & { readonly kind: "asian"; readonly averaging_hours: bigint });

/** `elsewhere`: of other accounts of the same owner, in money: gross delta of an underlying, value counted of an asset. */
export interface PortfolioFile {
  readonly settlement_asset: string;
  readonly stable_price: bigint;
  readonly underlyings: Readonly<
    Record<
      string,
      {
        readonly price: bigint;
        readonly volatility: bigint;
        /** Half-width of the oracle's confidence, as a share of the price. */
        readonly oracle_width: bigint;
        readonly elsewhere: bigint;
      }
    >
  >;
  readonly collateral: readonly {
    readonly asset: string;
    readonly amount: bigint;
    readonly price?: bigint | undefined;
    readonly redemption_rate?: bigint | undefined;
    readonly base_price?: bigint | undefined;
    readonly elsewhere: bigint;
  }[];
  readonly positions: readonly FilePosition[];
}

function decimal(check: (value: bigint) => boolean, expected: string): z.ZodType<bigint, string> {
  return z.string().transform((text, ctx) => {
    const value = parseDecimal(text, WAD_PLACES);
    if (value !== null && check(value)) return value;
    ctx.addIssue({ code: "custom", message: `expected ${expected}, got "${text}"` });
    return z.NEVER;
  });
}

const anyNumber = decimal(() => true, "a decimal number");
const positive = decimal((value) => value > 0n, "a positive decimal number");
const notNegative = decimal((value) => value >= 0n, "a decimal number of at least 0");

const held = {
  underlying: z.string().min(1),
  size: anyNumber,
  lot: positive.default(10n ** 14n),
  open_buys: notNegative.default(0n),
  open_sells: notNegative.default(0n),
  unrealised_pnl: anyNumber.default(0n),
};
const dated = { ...held, days: positive, forward: positive.optional() };
const option = {
  ...dated,
  right: z.enum(["call", "put"]),
  strike: positive,
  volatility: positive,
};

const position = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("perpetual"),
    ...held,
    funding_per_hour: anyNumber.default(0n),
  }),
  z.strictObject({ kind: z.literal("future"), ...dated }),
  z.strictObject({ kind: z.literal("option"), ...option }),
  z.strictObject({ kind: z.literal("digital"), ...option, payout: positive }),
  z.strictObject({ kind: z.literal("asian"), ...option, averaging_hours: positive }),
]);

const schema: z.ZodType<PortfolioFile> = z.strictObject({
  settlement_asset: z.string().default("usdc"),
  stable_price: positive.default(10n ** 18n),
  underlyings: z.record(
    z.string(),
    z.strictObject({
      price: positive,
      volatility: positive,
      oracle_width: notNegative.default(0n),
      elsewhere: notNegative.default(0n),
    }),
  ),
  collateral: z
    .array(
      z.strictObject({
        asset: z.string().min(1),
        amount: anyNumber,
        price: positive.optional(),
        redemption_rate: positive.optional(),
        base_price: positive.optional(),
        elsewhere: notNegative.default(0n),
      }),
    )
    .default([]),
  positions: z.array(position).max(1000).default([]),
});

/** Throws ConfigError: file, place in it, what was expected and what was found. */
export function readPortfolioFile(path: string): PortfolioFile {
  const text = readText(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return parsePortfolio(json, path);
}

export function parsePortfolio(json: unknown, name: string): PortfolioFile {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join(".") ?? "";
  throw new ConfigError(
    `${name}: ${place === "" ? "" : `${place}: `}${issue?.message ?? "not valid"}`,
  );
}
