import type { GenesisDoc } from "@keel/consensus/wire/genesis";
import { ConfigError } from "../config/files.ts";

/** `app_state.auth.bech32_prefix`, for which the SDK's own genesis has no place; "keel" when absent. */
export function addressPrefixOf(genesis: GenesisDoc): string {
  const auth = (genesis.appState as { auth?: { bech32_prefix?: unknown } } | null)?.auth;
  const prefix = auth?.bech32_prefix ?? "keel";
  if (typeof prefix !== "string" || !/^[a-z]{1,20}$/.test(prefix)) {
    throw new ConfigError(
      `genesis auth.bech32_prefix: expected lower-case letters, got ${JSON.stringify(prefix)}`,
    );
  }
  return prefix;
}
