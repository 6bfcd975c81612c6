/**
 * What can go wrong, by kind: the caller's input (nothing was sent), the connection, a query the chain refused, a transaction the
 * chain refused. Every error has a stable `code`; messages say what was expected and what was found.
 */
import { ErrorCode as DerivativesErrorCode } from "@keel/proto/gen/keel/derivatives/v1/errors";
import { ErrorCode as GuardErrorCode } from "@keel/proto/gen/keel/guard/v1/errors";
import { ErrorCode as InsuranceErrorCode } from "@keel/proto/gen/keel/insurance/v1/errors";
import { ErrorCode as MarginErrorCode } from "@keel/proto/gen/keel/margin/v1/errors";
import { ErrorCode as OracleErrorCode } from "@keel/proto/gen/keel/oracle/v1/errors";
import { ErrorCode as VaultErrorCode } from "@keel/proto/gen/keel/vault/v1/errors";

export type InputErrorCode =
  | "invalid-decimal"
  | "invalid-amount"
  | "invalid-address"
  | "invalid-order"
  | "price-off-tick"
  | "size-off-lot"
  | "unknown-market"
  | "invalid-option"
  /** An option price that no volatility gives, or that says nothing about it. */
  | "below-intrinsic"
  | "above-maximum"
  | "ill-conditioned"
  | "unsupported-signer";

/** The input cannot be sent as it is; nothing was sent. */
export class KeelInputError extends Error {
  readonly code: InputErrorCode;
  /** Name of the field at fault. */
  readonly field: string;

  constructor(code: InputErrorCode, field: string, message: string) {
    super(`${field}: ${message}`);
    this.name = "KeelInputError";
    this.code = code;
    this.field = field;
  }
}

export type ConnectionErrorCode =
  /** No endpoint answered. */
  | "unreachable"
  /** The node answered with a JSON-RPC error. */
  | "rpc"
  /** Accepted, but not seen in a block in time. It may still be included. */
  | "not-included-in-time"
  /** An unordered transaction whose timeout has passed on the chain, and three blocks after it: it can no longer be included. */
  | "expired"
  /** The answer does not have the expected form. */
  | "bad-answer"
  | "faucet";

/** Something between this program and the chain failed. */
export class KeelConnectionError extends Error {
  readonly code: ConnectionErrorCode;
  /** Transaction that was being waited for, if any. */
  readonly hash: string | undefined;
  /** How often the call was made, over all endpoints. */
  attempts: number;

  constructor(code: ConnectionErrorCode, message: string, hash?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "KeelConnectionError";
    this.code = code;
    this.hash = hash;
    this.attempts = 1;
  }
}

/** A query was refused by the application. */
export class KeelQueryError extends Error {
  readonly codespace: string;
  readonly code: number;
  readonly log: string;

  constructor(path: string, refusal: { codespace: string; code: number; log: string }) {
    super(`${path}: ${refusal.log}`);
    this.name = "KeelQueryError";
    this.codespace = refusal.codespace;
    this.code = refusal.code;
    this.log = refusal.log;
  }
}

export interface Refusal {
  readonly codespace: string;
  readonly code: number;
  readonly log: string;
}

/** A transaction was refused, by the mempool (`height` undefined) or in a block (fee and sequence are spent). */
export class KeelTxError extends Error {
  readonly codespace: string;
  readonly code: number;
  /** "POST_ONLY_WOULD_CROSS", "insufficient funds"...; undefined for a code this version does not know. */
  readonly codeName: string | undefined;
  readonly log: string;
  /** Upper-case hex. */
  readonly hash: string;
  readonly height: number | undefined;

  constructor(refusal: Refusal, hash: string, height?: number) {
    const name = codeName(refusal.codespace, refusal.code);
    super(
      `transaction refused: ${refusal.codespace} ${refusal.code}${name === undefined ? "" : ` (${name})`}: ${refusal.log}`,
    );
    this.name = "KeelTxError";
    this.codespace = refusal.codespace;
    this.code = refusal.code;
    this.codeName = name;
    this.log = refusal.log;
    this.hash = hash;
    this.height = height;
  }
}

const enums: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  derivatives: DerivativesErrorCode,
  guard: GuardErrorCode,
  insurance: InsuranceErrorCode,
  margin: MarginErrorCode,
  oracle: OracleErrorCode,
  vault: VaultErrorCode,
};

/** The SDK's own codes that a wallet meets. */
const sdkCodes: Readonly<Record<number, string>> = {
  2: "tx parse",
  4: "unauthorized",
  5: "insufficient funds",
  6: "unknown request",
  7: "invalid address",
  8: "invalid pubkey",
  9: "unknown address",
  10: "invalid coins",
  11: "out of gas",
  12: "memo too large",
  13: "insufficient fee",
  18: "invalid request",
  19: "tx already in mempool",
  20: "mempool full",
  21: "tx too large",
  30: "tx timeout height",
  32: "incorrect account sequence",
  37: "not supported",
  41: "invalid gas limit",
  42: "tx timeout",
};

const namesByCodespace = new Map<string, ReadonlyMap<number, string>>(
  Object.entries(enums).map(([codespace, codes]) => [
    codespace,
    new Map(
      Object.entries(codes)
        .filter(([, code]) => code > 0)
        .map(([name, code]) => [code, name.replace(/^ERROR_CODE_/, "")]),
    ),
  ]),
);

/** Name of a code: that of the proto enum, or the SDK's base text. */
export function codeName(codespace: string, code: number): string | undefined {
  return codespace === "sdk" ? sdkCodes[code] : namesByCodespace.get(codespace)?.get(code);
}

/** True when the transaction clashed with another of the same account. */
export function isSequenceMismatch(refusal: Refusal): boolean {
  return refusal.codespace === "sdk" && (refusal.code === 32 || refusal.code === 3);
}

/** The very same transaction was sent before: same content, same sequence. */
export function isDuplicate(refusal: Refusal): boolean {
  return refusal.codespace === "sdk" && refusal.code === 19;
}

/** The sequence the chain said it expects, or undefined. */
export function expectedSequence(log: string): number | undefined {
  const match = /expected (\d{1,15})\b/.exec(log);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
