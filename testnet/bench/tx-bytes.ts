/** Transactions as bytes, without building objects for them: load and simulations make hundreds of thousands. */
import { Writer } from "@keel/consensus/wire/writer";
import { loadSecp256k1 } from "@keel/node/crypto/native";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";

export interface Message {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** What the signing half of the library adds to the verifying half that nodes use. */
export interface SigningLibrary {
  publicKeyCreate(key: Uint8Array, compressed: boolean): Uint8Array;
  ecdsaSign(hash: Uint8Array, key: Uint8Array): { readonly signature: Uint8Array };
}

export interface SignerKey {
  readonly kind: "secp256k1" | "ed25519";
  readonly key: Uint8Array;
  /** Of an ordered transaction; default 0. */
  readonly sequence?: bigint;
}

const SIGN_MODE_DIRECT = 1;
const NANOS = 1_000_000_000n;

export function signingLibrary(): SigningLibrary {
  const library = loadSecp256k1();
  if (library === null)
    throw new Error("the native secp256k1 library is not installed; this needs its signing half");
  return library as unknown as SigningLibrary;
}

/** AuthInfo without a fee: who signs, in order, and the gas limit. */
export function authInfo(signers: readonly SignerKey[], gasLimit: number): Uint8Array {
  const info = new Writer();
  for (const { kind, key: bytes, sequence = 0n } of signers) {
    const key = new Writer();
    bytesField(key, 1, bytes);
    const single = new Writer();
    numberField(single, 1, SIGN_MODE_DIRECT);
    const mode = new Writer();
    bytesField(mode, 1, single.finish());
    const signer = new Writer();
    bytesField(signer, 1, any({ typeUrl: `/cosmos.crypto.${kind}.PubKey`, value: key.finish() }));
    bytesField(signer, 2, mode.finish());
    if (sequence > 0n) numberField(signer, 3, Number(sequence));
    bytesField(info, 1, signer.finish());
  }
  const fee = new Writer();
  numberField(fee, 2, gasLimit);
  bytesField(info, 2, fee.finish());
  return info.finish();
}

export function any({ typeUrl, value }: Message): Uint8Array {
  const writer = new Writer();
  bytesField(writer, 1, utf8ToBytes(typeUrl));
  bytesField(writer, 2, value);
  return writer.finish();
}

/** google.protobuf.Timestamp */
export function timestamp(ns: bigint): Uint8Array {
  const writer = new Writer(24);
  numberField(writer, 1, Number(ns / NANOS));
  if (ns % NANOS > 0n) numberField(writer, 2, Number(ns % NANOS));
  return writer.finish();
}

/** SignDoc of SIGN_MODE_DIRECT. */
export function signDocument(
  bodyBytes: Uint8Array,
  info: Uint8Array,
  chainId: string,
  accountNumber: number,
): Uint8Array {
  const document = new Writer(1024);
  bytesField(document, 1, bodyBytes);
  bytesField(document, 2, info);
  bytesField(document, 3, utf8ToBytes(chainId));
  if (accountNumber > 0) numberField(document, 4, accountNumber);
  return document.finish();
}

export function bytesField(writer: Writer, field: number, bytes: Uint8Array): void {
  writer.varint((field << 3) | 2);
  writer.varint(bytes.length);
  writer.raw(bytes);
}

export function numberField(writer: Writer, field: number, value: number): void {
  writer.varint(field << 3);
  writer.varint(value);
}
