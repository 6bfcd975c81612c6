/** The commands of keeld. Expected failures are one sentence on stderr and exit code 1. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { ConfigError, homePaths } from "../config/files.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../config/schema.ts";
import { CsvError } from "../feeds/csv.ts";
import { KEEL_VERSION } from "../version.ts";
import type { NodeOptions } from "./ask.ts";
import { explainCommand } from "./explain.ts";
import { exportCommand } from "./export.ts";
import { initCommand } from "./init.ts";
import { marginCommand } from "./margin.ts";
import { replayCommand } from "./replay.ts";
import { resetCommand } from "./reset.ts";
import { showNodeId, showValidator } from "./show.ts";
import { startCommand } from "./start.ts";
import { statusCommand } from "./status.ts";

const HOME_DEFAULT = join(homedir(), ".keel");

export async function runCli(argv: readonly string[]): Promise<void> {
  const program = new Command("keeld")
    .description("A Keel validator or follower")
    .version(KEEL_VERSION, "-v, --version");
  const withHome = (command: Command): Command =>
    command.option("--home <dir>", "home directory", HOME_DEFAULT);

  withHome(program.command("init"))
    .description("write keys, configuration and a one-validator genesis")
    .option("--chain-id <id>", "chain id", "keel-local-1")
    .option("--moniker <name>", "name people see", "keel")
    .option("--genesis <file>", "take this genesis file instead of writing one")
    .action(initCommand);
  withHome(program.command("start"))
    .description("run the node")
    .option("--stop-with-stdin", "stop when standard input ends")
    .addOption(new Option("--log_level <level>", "instead of config.toml's").choices(LOG_LEVELS))
    .addOption(new Option("--log_format <format>", "instead of config.toml's").choices(LOG_FORMATS))
    .action(startCommand);
  withHome(program.command("status"))
    .description("ask a running node where it stands")
    .option("--node <url>", "RPC address, instead of the one in the home's configuration")
    .action((_options: unknown, command: Command) => statusCommand(nodeOf(command)));
  withHome(program.command("explain <height> [event]"))
    .description(
      "why the protocol acted by itself in a block: liquidations, margin that moved, funding rates, halts; all of them, or one by its place in block_results",
    )
    .option("--node <url>", "RPC address, instead of the one in the home's configuration")
    .action((height: string, event: string | undefined, _options: unknown, command: Command) =>
      explainCommand(height, event, nodeOf(command)),
    );
  program
    .command("version")
    .description("print the release")
    .action(() => {
      process.stdout.write(`${KEEL_VERSION}\n`);
    });
  withHome(program.command("show-node-id"))
    .description("print this node's peer id")
    .action(showNodeId);
  withHome(program.command("show-validator"))
    .description("print this validator's public key")
    .action(showValidator);
  withHome(program.command("export"))
    .description("print the committed state as a genesis document")
    .action(exportCommand);
  withHome(program.command("replay"))
    .description("execute every stored block again from genesis and compare each app hash")
    .option("--crypto <backend>", "native or js", "native")
    .action(replayCommand);
  program
    .command("margin")
    .description(
      "what a portfolio needs under a portfolio-margin model; exit code 2: more than it has",
    )
    .requiredOption("--model <file>", "the model, as JSON")
    .requiredOption("--portfolio <file>", "collateral, positions and prices, as JSON")
    .option("--json", "print JSON instead of tables")
    .action(marginCommand);
  withHome(program.command("unsafe-reset-all"))
    .description("delete blocks and state; keys and the record of what was signed stay")
    .action(resetCommand);

  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.stderr.write(`keeld: ${sentence(error)}\n`);
    process.exitCode = 1;
  }
}

const PLAIN = new Set([
  "HandshakeError",
  "WalDamaged",
  "SignerRefusal",
  "StoreCorrupt",
  "GenesisError",
]);

/** Expected failures speak for themselves; anything else is a bug and shows where it came from. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isPlain =
    error instanceof ConfigError ||
    error instanceof CsvError ||
    PLAIN.has(error.name) ||
    "code" in error;
  return isPlain || process.env["KEEL_TRACE"] === undefined
    ? error.message
    : (error.stack ?? error.message);
}

/** The usual home counts only where there is one. */
function nodeOf(command: Command): NodeOptions {
  const { home, node } = command.opts<{ home: string; node?: string }>();
  const isUsual = command.getOptionValueSource("home") === "default";
  const named = isUsual && !existsSync(homePaths(home).configToml) ? null : home;
  return { home: named, ...(node === undefined ? {} : { node }) };
}
