/** What the end-to-end tests share: a network in a temporary directory on free ports, and commands run as processes. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileValues } from "@keel/node/config/template";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { roleWallets } from "../keys/roles.ts";
import { genesisAccounts, INSURANCE_FUND } from "../network/local-market.ts";
import { LocalNetwork } from "../network/network.ts";
import { freePorts } from "../network/ports.ts";

/** True under `npm run e2e`; `npm test` runs the short part. */
export const isFull: boolean =
  process.env["npm_lifecycle_event"] === "e2e" || process.env["KEEL_E2E"] === "full";

export interface TestNetwork {
  readonly network: LocalNetwork;
  readonly directory: string;
  remove(): Promise<void>;
}

/** `config`: besides what all of these networks have. */
export async function createTestNetwork(
  validators: number,
  config: FileValues = {},
): Promise<TestNetwork> {
  const directory = mkdtempSync(join(tmpdir(), "keel-e2e-"));
  const network = await LocalNetwork.create({
    directory,
    ports: await freePorts(validators),
    genesis: {
      chainId: "keel-e2e-1",
      genesisTime: timestampFromMs(Date.now()),
      accounts: genesisAccounts(await roleWallets()),
      authority: null,
      insuranceFund: INSURANCE_FUND,
    },
    config: {
      "oracle.source": "generator",
      "consensus.empty_block_interval": "500ms",
      "crypto.workers": 0,
      ...config,
    },
  });
  return {
    network,
    directory,
    async remove() {
      await network.killAll();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A script of this repository, running. */
export interface Started {
  /** What it wrote to standard output until now. */
  stdout(): string;
  /** Resolves with its end. */
  readonly ended: Promise<Ran>;
  kill(signal: NodeJS.Signals): void;
}

function startNode(args: readonly string[]): Started {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  return {
    stdout: () => stdout,
    ended: new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    }),
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs a script of this repository with Node. Killed when it takes longer than `timeoutMs`. */
export async function runNode(args: readonly string[], timeoutMs: number): Promise<Ran> {
  const started = startNode(args);
  const timer = setTimeout(() => started.kill("SIGTERM"), timeoutMs);
  return await started.ended.finally(() => clearTimeout(timer));
}

const RUN = new URL("../../scripts/run.mjs", import.meta.url).pathname;

/** As `npm run …` does it: bundled, then run. */
export function runEntry(file: string, args: readonly string[], timeoutMs: number): Promise<Ran> {
  return runNode([RUN, file, ...args], timeoutMs);
}

/** The same, without waiting for its end; the caller sees to that. */
export function startEntry(file: string, args: readonly string[]): Started {
  return startNode([RUN, file, ...args]);
}
