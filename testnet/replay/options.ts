/** Command line of a replay. Bad input is one sentence. */
import { Command, InvalidArgumentError } from "commander";
import { SCALE_MAX, SETUP_MS, TRADERS_MAX, TRADERS_MIN } from "./limits.ts";

export interface ReplayOptions {
  /** null: the built-in generator. */
  readonly prices: string | null;
  readonly scale: number;
  readonly traders: number;
  /** Opening insurance fund, whole settlement units. */
  readonly fund: number;
  readonly seed: number;
  readonly report: string;
  /** Of the price rows; null: all of them. */
  readonly minutes: number | null;
  readonly kill: boolean;
  /** Price ranges of the guard stop the market for auctions. */
  readonly ranges: boolean;
  /** Homes and logs stay here. null: a temporary directory, removed at the end. */
  readonly keep: string | null;
  readonly setupMs: number;
  /** Do the sums of this report again instead of running anything. */
  readonly recheck: string | null;
}

/** 300,000: enough for the crash of one market of this size, so that the other side loses nothing. */
const FUND_UNITS = 300_000;
/** With this seed the generator crashes by 17 % in the second half-hour. */
const SEED = 12;

export function readOptions(argv: readonly string[]): ReplayOptions {
  const program = new Command("replay")
    .description(
      "Lives through a price file on a network of four validators, with traders, makers and liquidations",
    )
    .option("--prices <file>", "CSV of price bars; without it the built-in generator")
    .option("--scale <n>", "chain seconds per real second", whole(1, SCALE_MAX), 40)
    .option("--traders <n>", "leveraged traders", whole(TRADERS_MIN, TRADERS_MAX), TRADERS_MIN)
    .option(
      "--fund <amount>",
      "opening insurance fund in USDC",
      whole(0, 1_000_000_000),
      FUND_UNITS,
    )
    .option("--seed <n>", "traders, and prices of the generator", whole(0, 2 ** 31 - 1), SEED)
    .option("--report <path>", "where the report is written as JSON", "reports/replay.json")
    .option("--minutes <n>", "play only so many minutes of prices", whole(1, 1_000_000))
    .option("--kill", "kill one validator after a third of the time and start it again")
    .option("--ranges", "stop the market for an auction when a price leaves its range")
    .option("--keep <dir>", "keep homes and logs of the validators here")
    .option("--recheck <report>", "do the sums of a written report again, nothing else")
    .option(
      "--setup <seconds>",
      "real time before the first bar, for starting and opening positions",
      whole(5, 600),
      SETUP_MS / 1000,
    )
    .configureOutput({
      writeErr: (text) => process.stderr.write(text.replace(/^error: /, "replay: ")),
    });
  program.parse([...argv]);
  const given = program.opts<{
    prices?: string;
    scale: number;
    traders: number;
    fund: number;
    seed: number;
    report: string;
    minutes?: number;
    kill?: boolean;
    ranges?: boolean;
    keep?: string;
    setup: number;
    recheck?: string;
  }>();
  return {
    prices: given.prices ?? null,
    scale: given.scale,
    traders: given.traders,
    fund: given.fund,
    seed: given.seed,
    report: given.report,
    minutes: given.minutes ?? null,
    kill: given.kill === true,
    ranges: given.ranges === true,
    keep: given.keep ?? null,
    setupMs: given.setup * 1000,
    recheck: given.recheck ?? null,
  };
}

function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`Expected a whole number of ${low} to ${high}.`);
    return value;
  };
}
