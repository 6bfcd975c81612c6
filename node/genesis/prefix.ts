import type { GenesisDoc } from "@keel/consensus/wire/genesis";
import { ConfigError } from "../config/files.ts";

/** Address prefix of chains that say nothing else; wallets have the same. */
export const ADDRESS_PREFIX_DEFAULT = "keel";

/** `app_state.auth.bech32_prefix`, for which the SDK's own genesis has no place; the default when absent. */
export function addressPrefixOf(genesis: GenesisDoc): string {
  const auth = (genesis.appState as { auth?: { bech32_prefix?: unknown } } | null)?.auth;
  const prefix = auth?.bech32_prefix ?? ADDRESS_PREFIX_DEFAULT;
  if (typeof prefix !== "string" || !/^[a-z]{1,20}$/.test(prefix)) {
    throw new ConfigError(
      `genesis auth.bech32_prefix: expected lower-case letters, got ${JSON.stringify(prefix)}`,
    );
  }
  return prefix;
}
