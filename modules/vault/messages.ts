/** Message routes of the vault: shape checks without state, then one call into the keeper. */

import {
  MsgCancelWithdrawal,
  MsgCancelWithdrawalResponse,
  MsgDepositToVault,
  MsgDepositToVaultResponse,
  MsgRequestWithdrawal,
  MsgRequestWithdrawalResponse,
  MsgSetVaultMarket,
  MsgSetVaultMarketResponse,
  MsgUpdateVaultParams,
  MsgUpdateVaultParamsResponse,
} from "@keel/proto/gen/keel/vault/v1/tx";
import { authorityOf, onParamsUpdate } from "../kit/authority.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { positiveMoney } from "../kit/money.ts";
import { refuse } from "./errors.ts";
import type { VaultKeeper } from "./keeper.ts";
import { parseShares, validateParams, validateTerms } from "./params.ts";
import type { VaultPorts } from "./ports.ts";
import type { VaultState } from "./state.ts";

const amountOf = (text: string): bigint => positiveMoney(text, refuse);

function sharesOf(text: string): bigint {
  const shares = parseShares(text);
  if (shares === null) {
    throw refuse("invalidAmount", `expected a number of shares, got "${text.slice(0, 50)}"`);
  }
  return shares;
}

export function vaultMessages(
  state: VaultState,
  keeper: VaultKeeper,
  { addresses, ledger }: Pick<VaultPorts, "addresses" | "ledger">,
): readonly MessageRoute[] {
  const requireAuthority = authorityOf(keeper.params, refuse);

  return [
    onMessage({
      typeUrl: "/keel.vault.v1.MsgDepositToVault",
      request: MsgDepositToVault,
      response: MsgDepositToVaultResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        amountOf(message.amount);
        if (message.sharesMin !== "") sharesOf(message.sharesMin);
      },
      handle(ctx, message) {
        const { settlementDenom } = ledger.params(ctx);
        if (message.denom !== settlementDenom) {
          const given = message.denom.slice(0, 130);
          throw refuse("wrongDenom", `expected ${settlementDenom}, got "${given}"`);
        }
        const sender = addresses.parse(message.sender);
        const least = message.sharesMin === "" ? 0n : sharesOf(message.sharesMin);
        const shares = keeper.deposit(ctx, sender, amountOf(message.amount), least);
        return { shares: shares.toString() };
      },
    }),
    onMessage({
      typeUrl: "/keel.vault.v1.MsgRequestWithdrawal",
      request: MsgRequestWithdrawal,
      response: MsgRequestWithdrawalResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        sharesOf(message.shares);
      },
      handle(ctx, message) {
        const owner = addresses.parse(message.sender);
        const { dueMs, id } = keeper.request(ctx, owner, sharesOf(message.shares));
        return { id, dueMs };
      },
    }),
    onMessage({
      typeUrl: "/keel.vault.v1.MsgCancelWithdrawal",
      request: MsgCancelWithdrawal,
      response: MsgCancelWithdrawalResponse,
      signers: (message) => [message.sender],
      validate(message) {
        addresses.parse(message.sender);
        if (message.id === 0n)
          throw refuse("invalidRequest", "expected the number of a withdrawal");
      },
      handle(ctx, message) {
        const shares = keeper.cancel(ctx, addresses.parse(message.sender), message.id);
        return { shares: shares.toString() };
      },
    }),
    onMessage({
      typeUrl: "/keel.vault.v1.MsgSetVaultMarket",
      request: MsgSetVaultMarket,
      response: MsgSetVaultMarketResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.terms === undefined) throw refuse("invalidRequest", "expected terms");
        validateTerms(message.terms);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        if (message.terms === undefined) throw refuse("invalidRequest", "expected terms");
        validateTerms(message.terms);
        keeper.setMarket(ctx, message.market, message.terms);
        return {};
      },
    }),
    onParamsUpdate({
      typeUrl: "/keel.vault.v1.MsgUpdateVaultParams",
      request: MsgUpdateVaultParams,
      response: MsgUpdateVaultParamsResponse,
      ...{ addresses, requireAuthority, refuse },
      validate: (params) => validateParams(params, addresses),
      set: (ctx, params) => state.params.set(ctx, params),
    }),
  ];
}
