/** Refusals of codespace "insurance". The numbers are published in keel/insurance/v1/errors.proto and never change meaning. */
import { ModuleError } from "../kit/errors.ts";

export const CODESPACE = "insurance";

export const INSURANCE_CODES = {
  invalidRequest: 2,
  unauthorized: 3,
  invalidAmount: 4,
  unknownDenom: 5,
  underwritingClosed: 6,
  insufficientShares: 7,
  shortfallOpen: 8,
  unknownClass: 9,
} as const;

export type InsuranceCode = keyof typeof INSURANCE_CODES;

export function refuse(code: InsuranceCode, message: string): ModuleError {
  return new ModuleError(CODESPACE, INSURANCE_CODES[code], message);
}

export function unknownFund(denom: string, riskClass: string): ModuleError {
  return riskClass === ""
    ? refuse("unknownDenom", `there is no fund in "${denom.slice(0, 130)}"`)
    : refuse("unknownClass", `there is no fund of class "${riskClass.slice(0, 50)}" in ${denom}`);
}
