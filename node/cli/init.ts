import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createSignerFiles, openFileSigner } from "@keel/consensus/host/signer";
import { loadOrCreateNodeKey } from "@keel/consensus/net/node-key";
import { formatGenesis, parseGenesis } from "@keel/consensus/wire/genesis";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { ConfigError, homePaths, writeConfigFiles } from "../config/files.ts";
import type { FileValues } from "../config/template.ts";
import { createGenesis } from "../genesis/create.ts";

export interface InitOptions {
  readonly home: string;
  readonly chainId: string;
  readonly moniker: string;
  readonly genesis?: string;
}

const POWER = 10n;

export async function initCommand(options: InitOptions): Promise<void> {
  const { nodeId, pubKey } = await initHome(options.home, { moniker: options.moniker });
  const { genesis } = homePaths(options.home);
  if (existsSync(genesis))
    throw new ConfigError(`${genesis} exists; remove it first to start another chain`);
  const text =
    options.genesis === undefined
      ? formatGenesis(
          createGenesis({
            chainId: options.chainId,
            genesisTime: timestampFromMs(Date.now()),
            validators: [{ pubKey, power: POWER, name: options.moniker }],
            accounts: [],
            authority: null,
          }),
        )
      : readGenesisFile(options.genesis);
  writeFileSync(genesis, text);
  process.stdout.write(`${options.home} is ready: node ${nodeId}\n`);
}

/** Keys and configuration files; what exists is kept. */
export async function initHome(
  home: string,
  values: FileValues,
): Promise<{ nodeId: string; pubKey: Uint8Array }> {
  const paths = homePaths(home);
  writeConfigFiles(home, values);
  const files = { keyPath: paths.validatorKey, statePath: paths.validatorState };
  if (!existsSync(paths.validatorKey)) await createSignerFiles(files);
  const signer = await openFileSigner(files);
  return { nodeId: loadOrCreateNodeKey(paths.nodeKey).id, pubKey: signer.pubKey };
}

function readGenesisFile(file: string): string {
  if (!existsSync(file)) throw new ConfigError(`${file} is missing`);
  const text = readFileSync(file, "utf8");
  try {
    parseGenesis(text);
  } catch (error) {
    throw new ConfigError(`${file} is not a genesis document: ${(error as Error).message}`);
  }
  return text;
}
