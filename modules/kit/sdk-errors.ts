/** The SDK's root errors: codespace "sdk", stable codes, and the text that ends every wrapped message. */
import { ModuleError } from "./errors.ts";

export type SdkErrorName =
  | "txDecode"
  | "unauthorized"
  | "insufficientFunds"
  | "unknownRequest"
  | "invalidAddress"
  | "invalidPubKey"
  | "unknownAddress"
  | "invalidCoins"
  | "outOfGas"
  | "memoTooLarge"
  | "insufficientFee"
  | "tooManySignatures"
  | "noSignatures"
  | "invalidRequest"
  | "txTooLarge"
  | "keyNotFound"
  | "invalidHeight"
  | "invalidChainId"
  | "invalidType"
  | "txTimeoutHeight"
  | "unknownExtensionOptions"
  | "wrongSequence"
  | "logic"
  | "notSupported"
  | "notFound"
  | "invalidGasLimit"
  | "txTimeout";

const ROOT: Readonly<Record<SdkErrorName, readonly [code: number, text: string]>> = {
  txDecode: [2, "tx parse error"],
  unauthorized: [4, "unauthorized"],
  insufficientFunds: [5, "insufficient funds"],
  unknownRequest: [6, "unknown request"],
  invalidAddress: [7, "invalid address"],
  invalidPubKey: [8, "invalid pubkey"],
  unknownAddress: [9, "unknown address"],
  invalidCoins: [10, "invalid coins"],
  outOfGas: [11, "out of gas"],
  memoTooLarge: [12, "memo too large"],
  insufficientFee: [13, "insufficient fee"],
  tooManySignatures: [14, "maximum number of signatures exceeded"],
  noSignatures: [15, "no signatures supplied"],
  invalidRequest: [18, "invalid request"],
  txTooLarge: [21, "tx too large"],
  keyNotFound: [22, "key not found"],
  invalidHeight: [26, "invalid height"],
  invalidChainId: [28, "invalid chain-id"],
  invalidType: [29, "invalid type"],
  txTimeoutHeight: [30, "tx timeout height"],
  unknownExtensionOptions: [31, "unknown extension options"],
  wrongSequence: [32, "incorrect account sequence"],
  logic: [35, "internal logic error"],
  notSupported: [37, "feature not supported"],
  notFound: [38, "not found"],
  invalidGasLimit: [41, "invalid gas limit"],
  txTimeout: [42, "tx timeout"],
};

/** `detail: root text`, as the SDK wraps; the bare root text without a detail. */
export function sdkError(name: SdkErrorName, detail?: string): ModuleError {
  const [code, text] = ROOT[name];
  return new ModuleError("sdk", code, detail === undefined ? text : `${detail}: ${text}`);
}
