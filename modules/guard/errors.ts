/** Refusals of codespace "guard". The numbers are published in keel/guard/v1/errors.proto and never change meaning. */
import { ModuleError } from "../kit/errors.ts";

const CODESPACE = "guard";

export const GUARD_CODES = {
  invalidRequest: 2,
  unauthorized: 3,
  unknownMarket: 4,
  ruleOutOfBounds: 5,
  beyondEmergency: 6,
  nothingRestricted: 7,
  withdrawalsClosed: 8,
  withdrawalLimit: 9,
  deficit: 10,
} as const;

type GuardCode = keyof typeof GUARD_CODES;

export function refuse(code: GuardCode, message: string): ModuleError {
  return new ModuleError(CODESPACE, GUARD_CODES[code], message);
}
