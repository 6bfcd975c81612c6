import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { type NodeConfig, readConfig } from "../config/files.ts";
import type { CometConfig } from "../config/schema.ts";
import { createLogger } from "../logging/logger.ts";
import { rotatingFile } from "../logging/rotating-file.ts";
import { startNode } from "../node.ts";
import { KEEL_VERSION } from "../version.ts";

/** A second signal, or a stop that hangs, ends the process at once. */
const STOP_MS = 10_000;

export interface StartOptions {
  readonly home: string;
  /** For a parent process: its end closes our stdin, however it ends, and no orphan stays behind. */
  readonly stopWithStdin?: boolean;
  /** Instead of the configuration's; named as the SDK names its flags. */
  readonly log_level?: CometConfig["log_level"];
  readonly log_format?: CometConfig["log_format"];
}

function logStream(home: string, { comet }: NodeConfig): Writable {
  const { log_file, log_file_bytes: bytesMax, log_files_kept: kept } = comet;
  if (log_file === "") return process.stdout;
  return rotatingFile(resolve(home, log_file), { bytesMax, kept });
}

export async function startCommand(options: StartOptions): Promise<void> {
  const config = readConfig(options.home);
  const log = createLogger({
    level: options.log_level ?? config.comet.log_level,
    format: options.log_format ?? config.comet.log_format,
    stream: logStream(options.home, config),
  });
  const die = (sentence: string): void => {
    process.stderr.write(`keeld: ${sentence}\n`);
    process.exit(1);
  };
  process.on("uncaughtException", (error) =>
    die(`stopped by an unexpected error: ${error.stack ?? error.message}`),
  );
  process.on("unhandledRejection", (reason) =>
    die(
      `stopped by an unexpected error: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`,
    ),
  );
  const node = await startNode({ config, log, onFatal: die });
  log.info("node started", {
    version: KEEL_VERSION,
    moniker: config.comet.moniker,
    chain: node.chainId,
    rpc: node.rpcPort,
    peer: node.peerAddress,
    height: node.state().lastHeight,
  });

  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => die(`did not stop within ${STOP_MS / 1000} s`), STOP_MS).unref();
    node.stop().then(
      () => process.exit(0),
      (error: Error) => die(error.message),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  if (options.stopWithStdin === true) process.stdin.resume().on("end", stop).on("error", stop);
}
