/** The SDK's bank genesis: {params, balances[{address, coins}], supply[], denom_metadata[], send_enabled[]}. */
import type { Addresses } from "../kit/addresses.ts";
import type { WriteContext } from "../kit/context.ts";
import type { JsonObject } from "../kit/json.ts";
import {
  asObject,
  GenesisError,
  readArray,
  readBoolean,
  readString,
  readUint,
} from "../kit/json.ts";
import type { GenesisHooks } from "../kit/module.ts";
import type { Amount } from "./coins.ts";
import { parseCoins } from "./coins.ts";
import type { BankState } from "./state.ts";
import { DenomMetadata, Params } from "./types.ts";

export function bankGenesis(state: BankState, addresses: Addresses): GenesisHooks {
  return {
    kind: "json",
    init(ctx, json) {
      const root = asObject(json, "bank");
      const params = asObject(root["params"] ?? {}, "bank.params");
      state.params.set(
        ctx,
        Params.fromPartial({
          defaultSendEnabled: readBoolean(params, "default_send_enabled", "bank.params", true),
        }),
      );
      const totals = loadBalances(ctx, state, addresses, root);
      checkSupply(root, totals);
      for (const [denom, total] of [...totals].sort(([a], [b]) => (a < b ? -1 : 1)))
        state.supply.set(ctx, denom, total);
      readArray(root, "denom_metadata", "bank").forEach((entry, i) => {
        const metadata = metadataFromJson(
          asObject(entry, `bank.denom_metadata[${i}]`),
          `bank.denom_metadata[${i}]`,
        );
        state.metadata.set(ctx, metadata.base, metadata);
      });
    },
    export(ctx) {
      const balances: { address: string; coins: { denom: string; amount: string }[] }[] = [];
      state.balances.each(ctx, ([owner, denom], amount) => {
        const address = addresses.format(owner);
        let last = balances.at(-1);
        if (last?.address !== address) balances.push((last = { address, coins: [] }));
        last.coins.push({ denom, amount: amount.toString() });
      });
      const supply: { denom: string; amount: string }[] = [];
      state.supply.each(
        ctx,
        (denom, amount) => void supply.push({ denom, amount: amount.toString() }),
      );
      const metadata: unknown[] = [];
      state.metadata.each(ctx, (_denom, value) => void metadata.push(metadataToJson(value)));
      const params = state.params.require(ctx);
      return {
        params: { send_enabled: [], default_send_enabled: params.defaultSendEnabled },
        balances,
        supply,
        denom_metadata: metadata,
        send_enabled: [],
      };
    },
  };
}

function readCoins(object: JsonObject, key: string, path: string): Amount[] {
  const coins = readArray(object, key, path).map((entry, i) => {
    const coin = asObject(entry, `${path}.${key}[${i}]`);
    return {
      denom: readString(coin, "denom", `${path}.${key}[${i}]`),
      amount: readUint(coin, "amount", `${path}.${key}[${i}]`).toString(),
    };
  });
  try {
    return parseCoins(coins);
  } catch {
    throw new GenesisError(`${path}.${key}`, "positive coins in ascending order of denom", coins);
  }
}

function loadBalances(
  ctx: WriteContext,
  state: BankState,
  addresses: Addresses,
  root: JsonObject,
): Map<string, bigint> {
  const totals = new Map<string, bigint>();
  const seen = new Set<string>();
  readArray(root, "balances", "bank").forEach((entry, i) => {
    const path = `bank.balances[${i}]`;
    const balance = asObject(entry, path);
    const text = readString(balance, "address", path);
    if (seen.has(text)) throw new GenesisError(`${path}.address`, "each address once", text);
    seen.add(text);
    const owner = addresses.parse(text);
    for (const { denom, amount } of readCoins(balance, "coins", path)) {
      state.balances.set(ctx, [owner, denom], amount);
      state.holders.set(ctx, [denom, owner], true);
      totals.set(denom, (totals.get(denom) ?? 0n) + amount);
    }
  });
  return totals;
}

/** A stated supply must equal the balances; an empty one is computed. */
function checkSupply(root: JsonObject, totals: ReadonlyMap<string, bigint>): void {
  const stated = readCoins(root, "supply", "bank");
  if (stated.length === 0) return;
  for (const { denom, amount } of stated) {
    if (totals.get(denom) !== amount) {
      throw new GenesisError(
        `bank.supply ${denom}`,
        `the sum of balances ${totals.get(denom) ?? 0n}`,
        amount.toString(),
      );
    }
  }
  if (stated.length !== totals.size)
    throw new GenesisError("bank.supply", `${totals.size} denoms`, stated.length);
}

function metadataFromJson(json: JsonObject, path: string): DenomMetadata {
  return DenomMetadata.fromPartial({
    description: readString(json, "description", path, ""),
    base: readString(json, "base", path),
    display: readString(json, "display", path, ""),
    name: readString(json, "name", path, ""),
    symbol: readString(json, "symbol", path, ""),
    uri: readString(json, "uri", path, ""),
    uriHash: readString(json, "uri_hash", path, ""),
    denomUnits: readArray(json, "denom_units", path).map((entry, i) => {
      const unitPath = `${path}.denom_units[${i}]`;
      const unit = asObject(entry, unitPath);
      return {
        denom: readString(unit, "denom", unitPath),
        exponent: Number(readUint(unit, "exponent", unitPath, 0n)),
        aliases: readArray(unit, "aliases", unitPath).map(String),
      };
    }),
  });
}

function metadataToJson(value: DenomMetadata): unknown {
  return {
    description: value.description,
    denom_units: value.denomUnits.map((unit) => ({
      denom: unit.denom,
      exponent: unit.exponent,
      aliases: unit.aliases,
    })),
    base: value.base,
    display: value.display,
    name: value.name,
    symbol: value.symbol,
    uri: value.uri,
    uri_hash: value.uriHash,
  };
}
