/** The genesis file of a home. */
import { readFileSync } from "node:fs";
import type { GenesisDoc } from "@keel/consensus/wire/genesis";
import { parseGenesis } from "@keel/consensus/wire/genesis";
import { ConfigError } from "../config/files.ts";

/** Throws ConfigError. */
export function readGenesis(path: string): GenesisDoc {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new ConfigError(
      missing
        ? `${path} is missing; put the chain's genesis file there`
        : `${path} cannot be read: ${(error as Error).message}`,
    );
  }
  try {
    return parseGenesis(text);
  } catch (error) {
    throw new ConfigError(`${path} is not a genesis document: ${(error as Error).message}`);
  }
}
