/**
 * A raw key of a program: signs order documents, and, once an owner has granted it trading, transactions too. Keep it where it is used: it
 * can trade, within its grant, and nothing else of the owner's.
 */

import {
  encodeEd25519Pubkey,
  encodeSecp256k1Pubkey,
  encodeSecp256k1Signature,
  pubkeyToRawAddress,
} from "@cosmjs/amino";
import { Ed25519, Random, Secp256k1 } from "@cosmjs/crypto";
import { toBase64, toBech32 } from "@cosmjs/encoding";
import {
  type AccountData,
  type DirectSignResponse,
  makeSignBytes,
  type OfflineDirectSigner,
} from "@cosmjs/proto-signing";
import { sha256 } from "@keel/proto/bytes/sha256";
import {
  KeyType,
  OrderDocument,
  type PublicKey,
  SignatureScheme,
  SignedDocument,
} from "@keel/proto/gen/keel/derivatives/v1/documents";
import { KeelInputError } from "./errors.ts";
import { DEFAULT_PREFIX } from "./wallet.ts";

export type TradingKeyKind = "secp256k1" | "ed25519";

const SECRET_BYTES = 32;

export class TradingKey {
  readonly kind: TradingKeyKind;
  /** Of the key's own account, which a grant makes. */
  readonly address: string;
  /** As grants and documents carry it. */
  readonly publicKey: PublicKey;
  /** Signs transactions: `KeelSigningClient.connectWithSigner(rpc, key.signer)`. */
  readonly signer: OfflineDirectSigner;
  readonly #sign: (message: Uint8Array) => Promise<Uint8Array>;

  private constructor(
    kind: TradingKeyKind,
    key: Uint8Array,
    prefix: string,
    sign: (message: Uint8Array) => Promise<Uint8Array>,
  ) {
    this.kind = kind;
    this.#sign = sign;
    const type = kind === "ed25519" ? KeyType.KEY_TYPE_ED25519 : KeyType.KEY_TYPE_SECP256K1;
    this.publicKey = { type, key };
    const amino = kind === "ed25519" ? encodeEd25519Pubkey(key) : encodeSecp256k1Pubkey(key);
    this.address = toBech32(prefix, pubkeyToRawAddress(amino));
    const account: AccountData = { address: this.address, algo: kind, pubkey: key };
    this.signer = {
      getAccounts: () => Promise.resolve([account]),
      signDirect: async (_address, doc): Promise<DirectSignResponse> => {
        const signature = await sign(makeSignBytes(doc));
        if (kind === "secp256k1")
          return { signed: doc, signature: encodeSecp256k1Signature(key, signature) };
        return { signed: doc, signature: { pub_key: amino, signature: toBase64(signature) } };
      },
    };
  }

  /** From 32 secret bytes. */
  static async fromSecret(
    kind: TradingKeyKind,
    secret: Uint8Array,
    prefix: string = DEFAULT_PREFIX,
  ): Promise<TradingKey> {
    if (secret.length !== SECRET_BYTES)
      throw new KeelInputError("invalid-option", "secret", `expected ${SECRET_BYTES} bytes`);
    if (kind === "ed25519") {
      const pair = await Ed25519.makeKeypair(secret);
      return new TradingKey(kind, pair.pubkey, prefix, (message) =>
        Ed25519.createSignature(message, pair),
      );
    }
    const { pubkey } = Secp256k1.makeKeypair(secret);
    return new TradingKey(kind, Secp256k1.compressPubkey(pubkey), prefix, (message) => {
      const signature = Secp256k1.createSignature(sha256(message), secret);
      return Promise.resolve(Uint8Array.from([...signature.r(32), ...signature.s(32)]));
    });
  }

  static generate(kind: TradingKeyKind = "ed25519", prefix?: string): Promise<TradingKey> {
    return TradingKey.fromSecret(kind, Random.getBytes(SECRET_BYTES), prefix);
  }

  /** Both kinds sign the SHA-256 of the document: ECDSA makes it itself. */
  async signDocument(document: OrderDocument): Promise<SignedDocument> {
    const bytes = OrderDocument.encode(document).finish();
    return SignedDocument.fromPartial({
      document,
      key: this.publicKey,
      scheme: SignatureScheme.SIGNATURE_SCHEME_SHA256,
      signature: await this.#sign(this.kind === "ed25519" ? sha256(bytes) : bytes),
    });
  }
}
