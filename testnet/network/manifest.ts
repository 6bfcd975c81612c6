/** What a kept network was made with: its validators, ports and prices are in its files, so later flags must agree with them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeDirectory } from "@keel/node/config/directories";
import type { StartOptions } from "./start-options.ts";

export interface Manifest {
  readonly prices: string | null;
  readonly "block-time": number | null;
  readonly validators: number;
  readonly seed: number;
  readonly "base-port": number;
  readonly scale: number;
  /** Real and chain time of the clock's anchor, in milliseconds; also for a network in real time. */
  readonly wallMs: number;
  readonly genesisMs: number;
}

const FLAGS = ["prices", "block-time", "validators", "seed", "base-port", "scale"] as const;

/** The directory's own manifest when it has one (throws one sentence when a flag disagrees), else a new one, written there. */
export function openManifest(
  directory: string,
  options: StartOptions,
  fresh: () => { readonly wallMs: number; readonly genesisMs: number },
): Manifest {
  const file = join(directory, "network.json");
  const asked = {
    prices: options.prices === null ? null : resolve(options.prices),
    "block-time": options.blockTimeMs,
    validators: options.validators,
    seed: options.seed,
    "base-port": options.basePort,
    scale: options.scale,
  };
  if (existsSync(file)) {
    const kept = readManifest(file);
    for (const flag of FLAGS) {
      if (kept[flag] !== asked[flag])
        throw new Error(
          `${directory} was made with --${flag} ${kept[flag] ?? "(not given)"}, got ${asked[flag] ?? "(not given)"}; use the same or another --persist directory`,
        );
    }
    return kept;
  }
  const manifest = { ...asked, ...fresh() };
  makeDirectory(directory);
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function readManifest(file: string): Manifest {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`);
  }
}
