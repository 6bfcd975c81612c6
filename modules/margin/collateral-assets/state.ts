/** State of collateral assets in store "margin". */
import { CollateralAsset } from "@keel/proto/gen/keel/margin/v1/collateral";
import { type AccountId, accountIdKey } from "../../kit/account-id.ts";
import {
  asciiKey,
  markerValue,
  pairKey,
  protoValue,
  rawBytesKey,
  terminatedKey,
} from "../../kit/collections/codecs.ts";
import type { MapCollection, Schema } from "../../kit/collections/schema.ts";
import type { Account } from "../account-codec.ts";

export interface AssetState {
  /** By denom. */
  readonly assets: MapCollection<string, CollateralAsset>;
  /** Who may hold a restricted asset. */
  readonly holders: MapCollection<readonly [string, Uint8Array], true>;
  /** Accounts with assets that may lose what they have over without being written: they hold positions, or owe. */
  readonly judged: MapCollection<AccountId, true>;
}

export function assetState(schema: Schema): AssetState {
  return {
    assets: schema.map(0x0d, "collateral_assets", asciiKey, protoValue(CollateralAsset)),
    holders: schema.map(
      0x0e,
      "collateral_holders",
      pairKey(terminatedKey, rawBytesKey),
      markerValue,
    ),
    judged: schema.map(0x0f, "collateral_judged", accountIdKey, markerValue),
  };
}

export function isJudged({ assets, collateral, positions }: Account): boolean {
  if (assets.length === 0) return false;
  return collateral < 0n || positions.some(({ lots }) => lots !== 0n);
}

/**
 * The accounts, with the index of those to be judged kept by every write. Of accounts without assets nothing is asked: who takes an account's last asset
 * away calls `keepJudged` itself.
 */
export function withJudged(
  accounts: MapCollection<AccountId, Account>,
  { judged }: AssetState,
): MapCollection<AccountId, Account> {
  return {
    ...accounts,
    set(ctx, id, account) {
      accounts.set(ctx, id, account);
      if (account.assets.length === 0) return;
      const known = judged.has(ctx, id);
      const wanted = isJudged(account);
      if (wanted && !known) judged.set(ctx, id, true);
      if (!wanted && known) judged.delete(ctx, id);
    },
  };
}
