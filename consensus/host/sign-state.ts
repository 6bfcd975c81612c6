/** The last-signed record of a validator: what `priv_validator_state.json` holds, and the comparison the signer decides by. */
import { base64ToBytes, bytesToBase64 } from "@keel/proto/bytes/base64";
import { bytesToHex, hexToBytes } from "@keel/proto/bytes/hex";
import type { Timestamp } from "@keel/proto/bytes/timestamp";
import { decodeUvarint } from "@keel/proto/bytes/varint";
import { timestampMessage } from "../wire/timestamp.ts";

/** CometBFT's numbers of the three things signed in a round, in the order they are signed. */
export const signSteps = { propose: 1, prevote: 2, precommit: 3 } as const;
export type SignStep = (typeof signSteps)[keyof typeof signSteps];

export interface SignState {
  readonly height: number;
  readonly round: number;
  /** 0 before anything was signed. */
  readonly step: 0 | SignStep;
  readonly signature: Uint8Array;
  readonly signBytes: Uint8Array;
}

const noBytes = new Uint8Array(0);
export const emptySignState: SignState = {
  height: 0,
  round: 0,
  step: 0,
  signature: noBytes,
  signBytes: noBytes,
};

/** Negative when `a` comes before `b` in the order of signing. */
export function compareSigned(
  a: Pick<SignState, "height" | "round" | "step">,
  b: Pick<SignState, "height" | "round" | "step">,
): number {
  return a.height - b.height || a.round - b.round || a.step - b.step;
}

/** CometBFT's JSON: height is a string, absent signature and sign bytes are left out. */
export function signStateToJson(state: SignState): string {
  const record = {
    height: String(state.height),
    round: state.round,
    step: state.step,
    ...(state.signature.length > 0 ? { signature: bytesToBase64(state.signature) } : {}),
    ...(state.signBytes.length > 0 ? { signbytes: bytesToHex(state.signBytes) } : {}),
  };
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** Throws with what is wrong: a signer without its record must not sign. */
export function signStateFromJson(text: string): SignState {
  const parsed: unknown = JSON.parse(text);
  const json =
    typeof parsed === "object" && parsed !== null
      ? (parsed as Readonly<Record<string, unknown>>)
      : {};
  const height =
    typeof json["height"] === "string" && /^\d{1,16}$/.test(json["height"])
      ? Number(json["height"])
      : -1;
  const round = json["round"];
  const step = json["step"];
  if (!Number.isSafeInteger(height) || height < 0)
    throw new Error('expected "height" to be a decimal string');
  if (typeof round !== "number" || !Number.isSafeInteger(round) || round < 0)
    throw new Error('expected "round" to be a count');
  if (step !== 0 && step !== 1 && step !== 2 && step !== 3)
    throw new Error('expected "step" to be 0 to 3');
  const signature = json["signature"] ?? "";
  const signBytes = json["signbytes"] ?? "";
  if (typeof signature !== "string" || typeof signBytes !== "string") {
    throw new Error('expected "signature" in base64 and "signbytes" in hex');
  }
  return {
    height,
    round,
    step,
    signature: base64ToBytes(signature),
    signBytes: hexToBytes(signBytes),
  };
}

/**
 * The timestamp inside stored sign bytes: field 5 of a canonical vote, 6 of a canonical proposal. Null when it cannot be found,
 * which counts as conflicting data.
 */
export function signedTimestamp(signBytes: Uint8Array, field: 5 | 6): Timestamp | null {
  try {
    let offset = decodeUvarint(signBytes, 0).next;
    while (offset < signBytes.length) {
      const tag = decodeUvarint(signBytes, offset);
      const wireType = Number(tag.value & 7n);
      offset = tag.next;
      if (wireType === 1) offset += 8;
      else if (wireType === 0) offset = decodeUvarint(signBytes, offset).next;
      else {
        const length = decodeUvarint(signBytes, offset);
        const end = length.next + Number(length.value);
        if (Number(tag.value >> 3n) === field)
          return timestampMessage.decode(signBytes.subarray(length.next, end));
        offset = end;
      }
    }
  } catch {
    return null;
  }
  return null;
}
