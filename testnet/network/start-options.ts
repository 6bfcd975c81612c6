/** Command line of the local network. Bad input is one sentence. */
import { Command, InvalidArgumentError } from "commander";

export interface StartOptions {
  /** null: the built-in generator. */
  readonly prices: string | null;
  /** Time between blocks, with transactions or without. null: the chain's own pacing, see `pacing.ts`. */
  readonly blockTimeMs: number | null;
  /** Where state is kept; null: thrown away. */
  readonly persist: string | null;
  readonly validators: number;
  readonly seed: number;
  readonly basePort: number;
  readonly faucetPort: number;
  readonly scale: number;
  readonly bots: boolean;
  /** Endpoints and accounts for scripts. null: only written when standard output is not a terminal. */
  readonly json: string | null;
}

export const JSON_PATH_DEFAULT = ".keel/network.json";
/** CometBFT's own ports for the first validator: 26656, RPC 26657. */
const BASE_PORT = 26_656;
/** CosmJS's own faucet port, while the validators have CometBFT's. */
export const FAUCET_PORT_DEFAULT = 8_000;
/** The last of the first validator's ten, when these begin elsewhere. */
const FAUCET_PORT_OFFSET = 9;
const VALIDATORS_MAX = 16;

export function readStartOptions(argv: readonly string[]): StartOptions {
  const program = new Command("keel")
    .description("A local network: validators, funded accounts, a faucet and a market with makers")
    .option("--prices <file>", "replay a CSV of price bars instead of generated prices")
    .option(
      "--block-time <duration>",
      "a block each 500ms, 2s, …; without it at most every 200ms and at least every second",
      duration,
    )
    .option("--persist <dir>", "keep the state here and go on from it")
    .option("--validators <n>", "validator processes", whole(1, VALIDATORS_MAX), 4)
    .option("--seed <n>", "of the price generator", whole(0, 2 ** 31 - 1), 1)
    .option(
      "--base-port <n>",
      "first port: each validator takes ten from here, the faucet the tenth (without this flag: 8000)",
      whole(1024, 65_000),
      BASE_PORT,
    )
    .option("--scale <n>", "chain seconds per real second", whole(1, 200), 1)
    .option("--no-bots", "no market makers: an empty order book")
    .option("--json <path>", "write endpoints and accounts here")
    .configureOutput({
      writeErr: (text) => process.stderr.write(text.replace(/^error: /, "keel: ")),
    });
  program.parse([...argv]);
  const given = program.opts<{
    prices?: string;
    blockTime?: number;
    persist?: string;
    validators: number;
    seed: number;
    basePort: number;
    scale: number;
    bots: boolean;
    json?: string;
  }>();
  return {
    prices: given.prices ?? null,
    blockTimeMs: given.blockTime ?? null,
    persist: given.persist ?? null,
    validators: given.validators,
    seed: given.seed,
    basePort: given.basePort,
    faucetPort:
      program.getOptionValueSource("basePort") === "default"
        ? FAUCET_PORT_DEFAULT
        : given.basePort + FAUCET_PORT_OFFSET,
    scale: given.scale,
    bots: given.bots,
    json: given.json ?? null,
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

function duration(text: string): number {
  const match = /^([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s)$/.exec(text);
  const value = Number(match?.[1]) * (match?.[2] === "s" ? 1000 : 1);
  if (match === null || value < 50 || value > 60_000)
    throw new InvalidArgumentError("Expected 50ms to 60s, such as 500ms or 2s.");
  return Math.round(value);
}
