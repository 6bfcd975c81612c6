/** Collateral beside the settlement asset: what may be deposited, what it counts, and what the insurance fund sells of it. Deposits and withdrawals are the ordinary ones, with `denom`. */
import type { CollateralTerms, CollateralView } from "@keel/proto/gen/keel/margin/v1/collateral";
import { MsgBuyCollateralResponse } from "@keel/proto/gen/keel/margin/v1/collateral";
import { type Amount, toQuanta } from "./decimal.ts";
import type { KeelClient } from "./keel-client.ts";
import type { WithTx } from "./outcomes.ts";
import { methods } from "./queries.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import { responseOf, type TxOutcome } from "./tx-result.ts";
import { integer } from "./views.ts";

async function send(
  client: KeelSigningClient,
  typeUrl: string,
  value: Readonly<Record<string, unknown>>,
  options: SubmitOptions,
): Promise<TxOutcome> {
  return await client.execute([{ typeUrl, value }], options);
}

/** Every asset with its terms, what accounts and the fund hold of it, and what it counts at present prices. */
export async function collateralAssets(client: KeelClient): Promise<readonly CollateralView[]> {
  return (await client.ask(methods.collateralAssets, {})).assets;
}

/** Who may hold a restricted asset, as far as one answer reaches (1,000). */
export async function collateralHolders(
  client: KeelClient,
  denom: string,
): Promise<readonly string[]> {
  return (await client.ask(methods.collateralHolders, { denom })).holders;
}

/** Buys units of the fund's inventory for settlement coins, for no more than `costMax`. */
export async function buyCollateral(
  client: KeelSigningClient,
  order: { readonly denom: string; readonly units: bigint; readonly costMax: Amount },
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly cost: bigint }>> {
  const value = {
    buyer: client.address,
    denom: order.denom,
    units: order.units.toString(),
    costMax: toQuanta("costMax", order.costMax).toString(),
  };
  const tx = await send(client, "/keel.margin.v1.MsgBuyCollateral", value, options);
  return { cost: integer("cost", responseOf(tx, 0, MsgBuyCollateralResponse).cost), tx };
}

/** As the asset's attestor: its price in settlement units, decimal text. */
export async function attestCollateralPrice(
  client: KeelSigningClient,
  denom: string,
  price: string,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = { attestor: client.address, denom, price };
  return await send(client, "/keel.margin.v1.MsgAttestCollateralPrice", value, options);
}

/** As the asset's issuer: stops it, or lets it go on. */
export async function freezeCollateral(
  client: KeelSigningClient,
  denom: string,
  frozen: boolean,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = { issuer: client.address, denom, frozen };
  return await send(client, "/keel.margin.v1.MsgFreezeCollateral", value, options);
}

/** As the asset's issuer: puts an address on its list of holders, or takes it off. */
export async function allowCollateralHolder(
  client: KeelSigningClient,
  listing: { readonly denom: string; readonly holder: string; readonly allowed: boolean },
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = { issuer: client.address, ...listing };
  return await send(client, "/keel.margin.v1.MsgAllowCollateralHolder", value, options);
}

/** As the authority: lists an asset, changes its terms, or with null ends it. */
export async function setCollateralAsset(
  client: KeelSigningClient,
  denom: string,
  terms: Omit<CollateralTerms, "denom"> | null,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = {
    authority: client.address,
    denom,
    ...(terms === null ? {} : { terms: { ...terms, denom } }),
  };
  return await send(client, "/keel.margin.v1.MsgSetCollateralAsset", value, options);
}
