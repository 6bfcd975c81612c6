/** Accounts that sign as stock wallets do: key derivation, sign document and encoding are CosmJS's. */
import { Secp256k1, sha256 } from "@cosmjs/crypto";
import { encodePubkey, makeAuthInfoBytes, makeSignDoc } from "@cosmjs/proto-signing";
import { createAddresses } from "@keel/modules/kit/addresses";
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { ripemd160 } from "@keel/proto/bytes/ripemd160";
import { MsgSend } from "cosmjs-types/cosmos/bank/v1beta1/tx";
import { SignDoc, TxBody, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";

export interface TestMessage {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export interface SignOptions {
  readonly sequence?: bigint;
  readonly chainId?: string;
  readonly gas?: number;
  readonly fee?: readonly { readonly denom: string; readonly amount: string }[];
  readonly memo?: string;
  readonly timeoutHeight?: bigint;
  /** Unordered, valid until this time in nanoseconds. */
  readonly unorderedUntilNs?: bigint;
}

export class TestSigner {
  readonly address: string;
  readonly bytes: Uint8Array;
  readonly #key: Uint8Array;
  readonly #pubKey: Uint8Array;
  readonly #chainId: string;
  number = 0n;
  sequence = 0n;

  /** `seed` names the key; the same text gives the same account. */
  constructor(seed: string, chainId: string, prefix: string) {
    this.#key = sha256(new TextEncoder().encode(seed));
    this.#pubKey = Secp256k1.compressPubkey(Secp256k1.makeKeypair(this.#key).pubkey);
    this.#chainId = chainId;
    this.bytes = ripemd160(sha256(this.#pubKey));
    this.address = createAddresses(prefix).format(this.bytes);
  }

  /** A signed TxRaw; without a stated sequence it takes the next one. */
  sign(messages: readonly TestMessage[], options: SignOptions = {}): Uint8Array {
    const unordered = options.unorderedUntilNs !== undefined;
    const sequence = options.sequence ?? (unordered ? 0n : this.sequence++);
    const body = TxBody.encode(
      TxBody.fromPartial({
        messages: messages.map((message) => ({ ...message })),
        memo: options.memo ?? "",
        timeoutHeight: options.timeoutHeight ?? 0n,
      }),
    ).finish();
    const bodyBytes = unordered
      ? Uint8Array.from([...body, ...unorderedFields(options.unorderedUntilNs as bigint)])
      : body;
    const pubkey = encodePubkey({
      type: "tendermint/PubKeySecp256k1",
      value: bytesToBase64(this.#pubKey),
    });
    const authInfoBytes = makeAuthInfoBytes(
      [{ pubkey, sequence: Number(sequence) }],
      (options.fee ?? []).map((coin) => ({ ...coin })),
      options.gas ?? 200_000,
      undefined,
      undefined,
    );
    const doc = makeSignDoc(
      bodyBytes,
      authInfoBytes,
      options.chainId ?? this.#chainId,
      this.number,
    );
    const digest = sha256(SignDoc.encode(doc).finish());
    const signature = Secp256k1.createSignature(digest, this.#key);
    return TxRaw.encode({
      bodyBytes,
      authInfoBytes,
      signatures: [Uint8Array.from([...signature.r(32), ...signature.s(32)])],
    }).finish();
  }

  send(to: TestSigner, amount: string, options?: SignOptions): Uint8Array {
    return this.sign([sendMessage(this.address, to.address, amount)], options);
  }
}

export function sendMessage(from: string, to: string, amount: string): TestMessage {
  const [, digits = "", denom = ""] = /^([0-9-]+)(.*)$/.exec(amount) ?? [];
  const message = MsgSend.fromPartial({
    fromAddress: from,
    toAddress: to,
    amount: [{ denom, amount: digits }],
  });
  return {
    typeUrl: "/cosmos.bank.v1beta1.MsgSend",
    value: MsgSend.encode(message).finish(),
  };
}

/** `unordered = 4` and `timeout_timestamp = 5` of TxBody, newer than the installed message types. */
function unorderedFields(untilNs: bigint): number[] {
  const varint = (value: bigint): number[] =>
    value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
  const seconds = untilNs / 1_000_000_000n;
  const nanos = untilNs % 1_000_000_000n;
  const timestamp = [0x08, ...varint(seconds), ...(nanos > 0n ? [0x10, ...varint(nanos)] : [])];
  return [0x20, 0x01, 0x2a, timestamp.length, ...timestamp];
}
