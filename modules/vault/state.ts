/** State layout of store "vault", and the vault's own account. Prefixes ascend and are never reused. */
import { Params } from "@keel/proto/gen/keel/vault/v1/types";
import type { AccountId } from "../kit/account-id.ts";
import { accountId } from "../kit/account-id.ts";
import { moduleAddress } from "../kit/addresses.ts";
import { fixedBytesKey, protoValue, u32Key, u64Key } from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import type { MarketId } from "./ports.ts";
import type { Estimate, Holder, Totals, VaultMarket, Withdrawal } from "./records.ts";
import {
  estimateValue,
  holderValue,
  marketValue,
  totalsValue,
  withdrawalValue,
} from "./records.ts";

/** Owner of the vault's sub-accounts. Coins pass through it and never stay. */
export const VAULT_ADDRESS: Uint8Array = moduleAddress("vault");

/** Collateral that no market uses. */
export const IDLE_ACCOUNT: AccountId = accountId(VAULT_ADDRESS, 0);

/** The sub-account that quotes a market. Ids of markets begin at 1. */
export function marketAccount(market: MarketId): AccountId {
  return accountId(VAULT_ADDRESS, market);
}

export interface VaultState {
  readonly params: ItemCollection<Params>;
  readonly totals: ItemCollection<Totals>;
  readonly holders: MapCollection<Uint8Array, Holder>;
  readonly markets: MapCollection<MarketId, VaultMarket>;
  readonly estimates: MapCollection<MarketId, Estimate>;
  readonly withdrawals: MapCollection<bigint, Withdrawal>;
}

export function vaultState(schema: Schema): VaultState {
  return {
    params: schema.item(0, "params", protoValue(Params)),
    totals: schema.item(1, "totals", totalsValue),
    holders: schema.map(2, "holders", fixedBytesKey(20), holderValue),
    markets: schema.map(3, "markets", u32Key, marketValue),
    estimates: schema.map(4, "estimates", u32Key, estimateValue),
    withdrawals: schema.map(5, "withdrawals", u64Key, withdrawalValue),
  };
}
