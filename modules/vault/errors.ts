/** Refusals of codespace "vault". The numbers are published in keel/vault/v1/errors.proto and never change meaning. */
import { ModuleError } from "../kit/errors.ts";

const CODESPACE = "vault";

export const VAULT_CODES = {
  invalidRequest: 2,
  unauthorized: 3,
  invalidAmount: 4,
  wrongDenom: 5,
  depositTooSmall: 6,
  tooFewShares: 7,
  notPriced: 8,
  withoutEquity: 9,
  insufficientShares: 10,
  sharesLocked: 11,
  tooManyWithdrawals: 12,
  unknownWithdrawal: 13,
  unknownMarket: 14,
  termsOutOfBounds: 15,
  tooManyMarkets: 16,
} as const;

type VaultCode = keyof typeof VAULT_CODES;

export function refuse(code: VaultCode, message: string): ModuleError {
  return new ModuleError(CODESPACE, VAULT_CODES[code], message);
}
