/** Refusals of codespace "oracle". The numbers are published in keel/oracle/v1/errors.proto and never change meaning. */
import { ModuleError } from "../kit/errors.ts";

export const CODESPACE = "oracle";

export const ORACLE_CODES = {
  invalidRequest: 2,
  unauthorized: 3,
  badCommit: 4,
  wrongHeight: 5,
  badExtension: 6,
  unknownFeed: 7,
  tooManyFeeds: 8,
  unknownSurface: 20,
  tooManySurfaces: 21,
  noSmile: 22,
  notGuarded: 23,
  boundTooFar: 24,
} as const;

export type OracleCode = keyof typeof ORACLE_CODES;

export function refuse(code: OracleCode, message: string): ModuleError {
  return new ModuleError(CODESPACE, ORACLE_CODES[code], message);
}
