/** An account of the load: signs unordered transactions with the native library, fast enough to prepare a minute of load in seconds. */
import { Writer } from "@keel/consensus/wire/writer";
import { createAddresses } from "@keel/modules/kit/addresses";
import { loadSecp256k1 } from "@keel/node/crypto/native";
import { ripemd160 } from "@keel/proto/bytes/ripemd160";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";

export interface Message {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** What the signing half of the library adds to the verifying half that nodes use. */
interface SigningLibrary {
  publicKeyCreate(key: Uint8Array, compressed: boolean): Uint8Array;
  ecdsaSign(hash: Uint8Array, key: Uint8Array): { readonly signature: Uint8Array };
}

const KEY_TYPE = "/cosmos.crypto.secp256k1.PubKey";
const SIGN_MODE_DIRECT = 1;
const GAS_LIMIT = 400_000;
const NANOS = 1_000_000_000n;

export class Trader {
  readonly address: string;
  readonly #library: SigningLibrary;
  readonly #key: Uint8Array;
  readonly #authInfo: Uint8Array;
  readonly #chainId: string;
  readonly #number: number;

  /** `seed` names the key; `number` is the account's place in genesis. */
  constructor(
    seed: string,
    chain: { readonly id: string; readonly prefix: string },
    number: number,
  ) {
    this.#library = signingLibrary();
    this.#key = sha256(utf8ToBytes(seed));
    const publicKey = this.#library.publicKeyCreate(this.#key, true);
    this.address = createAddresses(chain.prefix).format(ripemd160(sha256(publicKey)));
    this.#authInfo = authInfo(publicKey);
    this.#chainId = chain.id;
    this.#number = number;
  }

  /** A signed TxRaw, unordered, good until the given time, and until the given block unless that is 0; no two of one trader may share a time. */
  sign(messages: readonly Message[], untilNs: bigint, lastHeight: number = 0): Uint8Array {
    const body = new Writer(512);
    for (const message of messages) bytesField(body, 1, any(message));
    if (lastHeight > 0) numberField(body, 3, lastHeight);
    numberField(body, 4, 1);
    bytesField(body, 5, timestamp(untilNs));
    const bodyBytes = body.finish();

    const document = new Writer(1024);
    bytesField(document, 1, bodyBytes);
    bytesField(document, 2, this.#authInfo);
    bytesField(document, 3, utf8ToBytes(this.#chainId));
    if (this.#number > 0) numberField(document, 4, this.#number);
    const { signature } = this.#library.ecdsaSign(sha256(document.finish()), this.#key);

    const tx = new Writer(1024);
    bytesField(tx, 1, bodyBytes);
    bytesField(tx, 2, this.#authInfo);
    bytesField(tx, 3, signature);
    return tx.finish();
  }
}

export function createTraders(
  count: number,
  seed: string,
  chain: { readonly id: string; readonly prefix: string },
): Trader[] {
  return Array.from({ length: count }, (_, i) => new Trader(`${seed} ${i}`, chain, i));
}

function signingLibrary(): SigningLibrary {
  const library = loadSecp256k1();
  if (library === null)
    throw new Error("the native secp256k1 library is not installed; the benches measure with it");
  return library as unknown as SigningLibrary;
}

function authInfo(publicKey: Uint8Array): Uint8Array {
  const key = new Writer();
  bytesField(key, 1, publicKey);
  const single = new Writer();
  numberField(single, 1, SIGN_MODE_DIRECT);
  const mode = new Writer();
  bytesField(mode, 1, single.finish());
  const signer = new Writer();
  bytesField(signer, 1, any({ typeUrl: KEY_TYPE, value: key.finish() }));
  bytesField(signer, 2, mode.finish());
  const fee = new Writer();
  numberField(fee, 2, GAS_LIMIT);
  const info = new Writer();
  bytesField(info, 1, signer.finish());
  bytesField(info, 2, fee.finish());
  return info.finish();
}

function any({ typeUrl, value }: Message): Uint8Array {
  const writer = new Writer();
  bytesField(writer, 1, utf8ToBytes(typeUrl));
  bytesField(writer, 2, value);
  return writer.finish();
}

function timestamp(ns: bigint): Uint8Array {
  const writer = new Writer(24);
  numberField(writer, 1, Number(ns / NANOS));
  if (ns % NANOS > 0n) numberField(writer, 2, Number(ns % NANOS));
  return writer.finish();
}

function bytesField(writer: Writer, field: number, bytes: Uint8Array): void {
  writer.varint((field << 3) | 2);
  writer.varint(bytes.length);
  writer.raw(bytes);
}

function numberField(writer: Writer, field: number, value: number): void {
  writer.varint(field << 3);
  writer.varint(value);
}
