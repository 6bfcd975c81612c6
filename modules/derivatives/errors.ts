/** Refusals of codespace "derivatives". The numbers are published in keel/derivatives/v1/errors.proto and never change meaning. */
import { ModuleError } from "../kit/errors.ts";

export const CODESPACE = "derivatives";

export const DERIVATIVES_CODES = {
  invalidRequest: 2,
  unauthorized: 3,
  unknownMarket: 4,
  marketNotActive: 5,
  closeOnly: 6,
  stalePrice: 7,
  invalidPrice: 8,
  invalidSize: 9,
  notionalTooSmall: 10,
  notionalTooLarge: 11,
  priceOutOfBand: 12,
  postOnlyWouldCross: 13,
  reduceOnlyWouldIncrease: 14,
  notFilled: 15,
  clientIdInUse: 16,
  unknownOrder: 17,
  tooManyOpenOrders: 18,
  bookFull: 19,
  invalidGoodTil: 20,
  selfTrade: 21,
  unknownAccount: 22,
  marketExists: 23,
  invalidTerms: 24,
  tooManyMarkets: 25,
  openInterestCap: 26,
  marketExpired: 30,
  listingClosed: 31,
  feedQuality: 32,
  unknownSeries: 33,
  seriesExists: 34,
  unknownBond: 35,
  clientIdRequired: 50,
  notInAuction: 51,
  opening: 52,
  wrongChain: 60,
  documentExpired: 61,
  documentTooFarAhead: 62,
  wrongMatcher: 63,
  invalidSignature: 64,
  documentCancelled: 65,
  documentOverfilled: 66,
  duplicateDocument: 67,
  sidesDoNotMatch: 68,
  limitExceeded: 69,
  feeAboveMaximum: 70,
  noSuchPosition: 71,
  subaccountInUse: 72,
  sameSubaccount: 73,
  notGranted: 75,
  grantExpired: 76,
  grantExhausted: 77,
  invalidGrant: 78,
  tooManyGrants: 79,
} as const;

export type DerivativesCode = keyof typeof DERIVATIVES_CODES;

export function refuse(code: DerivativesCode, message: string): ModuleError {
  return new ModuleError(CODESPACE, DERIVATIVES_CODES[code], message);
}
