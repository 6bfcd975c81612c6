/**
 * A node's home directory, in the Cosmos layout, and its configuration files. Files are written once with every key explained and
 * are read strictly: an unknown key or a bad value is one plain sentence that names file and key.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import type { z } from "zod";
import { makeDirectory } from "./directories.ts";
import type { AppConfig, CometConfig } from "./schema.ts";
import { appSchema, cometSchema } from "./schema.ts";
import type { FileValues } from "./template.ts";
import { appToml, configToml } from "./template.ts";

export interface HomePaths {
  readonly home: string;
  readonly configToml: string;
  readonly appToml: string;
  readonly genesis: string;
  readonly nodeKey: string;
  readonly validatorKey: string;
  readonly validatorState: string;
  readonly data: string;
  readonly wal: string;
}

export interface NodeConfig {
  readonly paths: HomePaths;
  readonly comet: CometConfig;
  readonly app: AppConfig;
}

export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}

export function homePaths(home: string): HomePaths {
  return {
    home,
    configToml: join(home, "config", "config.toml"),
    appToml: join(home, "config", "app.toml"),
    genesis: join(home, "config", "genesis.json"),
    nodeKey: join(home, "config", "node_key.json"),
    validatorKey: join(home, "config", "priv_validator_key.json"),
    validatorState: join(home, "data", "priv_validator_state.json"),
    data: join(home, "data"),
    wal: join(home, "data", "cs.wal"),
  };
}

/** Writes both files, with `values` over the defaults. Existing files are left alone. */
export function writeConfigFiles(home: string, values: FileValues): void {
  const paths = homePaths(home);
  makeDirectory(join(home, "config"));
  makeDirectory(paths.data);
  if (!existsSync(paths.configToml)) writeFileSync(paths.configToml, configToml(values));
  if (!existsSync(paths.appToml)) writeFileSync(paths.appToml, appToml(values));
}

/** Throws ConfigError in one sentence that names the file. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT" ? "no such file" : code === "EISDIR" ? "a directory, not a file" : message;
    throw new ConfigError(`${path}: ${reason}`);
  }
}

/** Throws ConfigError. */
export function readConfig(home: string): NodeConfig {
  const paths = homePaths(home);
  return {
    paths,
    comet: readFile(paths.configToml, cometSchema),
    app: readFile(paths.appToml, appSchema),
  };
}

function readFile<T>(file: string, schema: z.ZodType<T, unknown>): T {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new ConfigError(`${file} is missing; run "keeld init" first`);
    }
    throw new ConfigError(`${file} cannot be read: ${(error as Error).message}`);
  }
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    const where = error instanceof TomlError ? `:${error.line}` : "";
    throw new ConfigError(
      `${file}${where} is not TOML: ${(error as Error).message.split("\n")[0]}`,
    );
  }
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = issue?.path.join(".") ?? "";
  throw new ConfigError(`${file}: ${key === "" ? "" : `${key}: `}${issue?.message ?? "invalid"}`);
}
