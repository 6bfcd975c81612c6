/** Refusals of codespace "margin". The numbers are published in keel/margin/v1/errors.proto and never change meaning. */
import { ModuleError } from "../kit/errors.ts";

export const CODESPACE = "margin";

export const MARGIN_CODES = {
  invalidRequest: 2,
  unauthorized: 3,
  invalidAmount: 4,
  wrongDenom: 5,
  unknownAccount: 6,
  insufficientMargin: 7,
  insufficientCollateral: 8,
  stalePrice: 9,
  withdrawalsGated: 10,
  marketQuarantined: 11,
  tooManyMarkets: 12,
  unknownMarket: 13,
  sameAccount: 14,
  outOfRange: 15,
  insufficientFees: 16,
  marketSettling: 20,
  invalidModel: 30,
  noModel: 31,
  modelInUse: 32,
  secondPortfolio: 33,
  unknownFeed: 40,
  isolatedMarket: 55,
  policyRequired: 56,
  unknownProposal: 57,
  notApproved: 58,
  tradingLoss: 59,
  wouldSink: 65,
  tooManyShares: 66,
  siblingMargin: 67,
  noLiquidationAuction: 60,
  bidsFull: 61,
  unknownClass: 70,
  owesFunds: 71,
  collateralCap: 50,
  collateralFrozen: 51,
  holderNotAllowed: 52,
  collateralInUse: 53,
} as const;

export type MarginCode = keyof typeof MARGIN_CODES;

export function refuse(code: MarginCode, message: string): ModuleError {
  return new ModuleError(CODESPACE, MARGIN_CODES[code], message);
}
