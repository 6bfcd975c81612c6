/** What a person, or a script, is told when the network runs. */
import { PUBLIC_KEYS_WARNING } from "../keys/roles.ts";

export interface AccountInfo {
  readonly name: string;
  readonly address: string;
  readonly mnemonic: string;
  readonly purpose: string;
}

/** Also the JSON for scripts. */
export interface NetworkInfo {
  readonly chainId: string;
  readonly market: string;
  readonly denoms: { readonly settlement: string; readonly stake: string };
  readonly validators: readonly {
    readonly name: string;
    readonly rpc: string;
    readonly pid: number | null;
    readonly home: string;
  }[];
  readonly faucet: string;
  readonly accounts: readonly AccountInfo[];
  readonly warning: string;
}

export function printBanner(info: NetworkInfo): string {
  const [first] = info.validators;
  const width = Math.max(...info.accounts.map(({ name }) => name.length)) + 2;
  const indent = " ".repeat(width + 2);
  const accounts = info.accounts.map(
    ({ name, address, mnemonic, purpose }) =>
      `  ${name.padEnd(width)}${address}  ${purpose}\n${indent}${mnemonic}`,
  );
  return [
    "",
    `  Keel, chain ${info.chainId}, ${info.validators.length} validators, market ${info.market}`,
    "",
    `  RPC       ${first?.rpc}  (WebSocket: ${first?.rpc.replace("http", "ws")}/websocket, market data: /stream)`,
    ...info.validators.slice(1).map(({ rpc }) => `            ${rpc}`),
    `  Faucet    ${info.faucet}/credit`,
    `            curl -X POST ${info.faucet}/credit -H 'content-type: application/json' -d '{"denom":"${info.denoms.settlement}","address":"keel1..."}'`,
    `  Homes     ${first?.home.replace(/[^/\\]*$/, "")}node*/keeld.log`,
    "",
    `  Accounts  ${PUBLIC_KEYS_WARNING}`,
    "",
    ...accounts,
    "",
    "  Ctrl-C stops everything.",
    "",
  ].join("\n");
}
