/** An account of the load: signs unordered transactions with the native library, fast enough to prepare a minute of load in seconds. */
import { Writer } from "@keel/consensus/wire/writer";
import { createAddresses } from "@keel/modules/kit/addresses";
import { ripemd160 } from "@keel/proto/bytes/ripemd160";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import {
  any,
  authInfo,
  bytesField,
  type Message,
  numberField,
  type SigningLibrary,
  signDocument,
  signingLibrary,
  timestamp,
} from "./tx-bytes.ts";

const GAS_LIMIT = 400_000;

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
    gasLimit: number = GAS_LIMIT,
  ) {
    this.#library = signingLibrary();
    this.#key = sha256(utf8ToBytes(seed));
    const publicKey = this.#library.publicKeyCreate(this.#key, true);
    this.address = createAddresses(chain.prefix).format(ripemd160(sha256(publicKey)));
    this.#authInfo = authInfo([{ kind: "secp256k1", key: publicKey }], gasLimit);
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

    const document = signDocument(bodyBytes, this.#authInfo, this.#chainId, this.#number);
    const { signature } = this.#library.ecdsaSign(sha256(document), this.#key);

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
  gasLimit?: number,
): Trader[] {
  return Array.from({ length: count }, (_, i) => new Trader(`${seed} ${i}`, chain, i, gasLimit));
}
