/** The accounts of the simulation: each owner with the key of its account and a trading key it may grant; transactions and order documents. */
import { ed25519PublicKey, ed25519Sign } from "@keel/consensus/wire/ed25519";
import { Writer } from "@keel/consensus/wire/writer";
import { documentMessage } from "@keel/modules/derivatives/external/document";
import type { SimulatedWallets } from "@keel/modules/derivatives/external/simulate";
import { createAddresses } from "@keel/modules/kit/addresses";
import { addressOfKey } from "@keel/modules/kit/key-address";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import {
  KeyType,
  type OrderDocument,
  type PublicKey,
  SignatureScheme,
  SignedDocument,
} from "@keel/proto/gen/keel/derivatives/v1/documents";
import {
  any,
  authInfo,
  bytesField,
  type Message,
  numberField,
  signDocument,
  signingLibrary,
  timestamp,
} from "../bench/tx-bytes.ts";

export const CHAIN_ID = "keel-test-1";
export const PREFIX = "keel";
const addresses = createAddresses(PREFIX);
const library = signingLibrary();

/** A key that can sign transactions and documents. */
export interface Signer {
  readonly address: string;
  readonly bytes: Uint8Array;
  readonly kind: "secp256k1" | "ed25519";
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

function secp256k1Signer(seed: string): Signer {
  const key = sha256(utf8ToBytes(seed));
  const publicKey = library.publicKeyCreate(key, true);
  const bytes = addressOfKey("secp256k1", publicKey);
  return {
    address: addresses.format(bytes),
    bytes,
    kind: "secp256k1",
    publicKey,
    sign: (message) => library.ecdsaSign(sha256(message), key).signature,
  };
}

function ed25519Signer(seed: string): Signer {
  const key = sha256(utf8ToBytes(seed));
  const publicKey = ed25519PublicKey(key);
  const bytes = addressOfKey("ed25519", publicKey);
  return {
    address: addresses.format(bytes),
    bytes,
    kind: "ed25519",
    publicKey,
    sign: (message) => ed25519Sign(key, message),
  };
}

export interface Agent {
  readonly index: number;
  readonly account: Signer;
  /** Half of them are ed25519 keys. */
  readonly tradingKey: Signer;
}

export function createAgents(count: number): Agent[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    account: secp256k1Signer(`agent ${index}`),
    tradingKey: (index % 2 === 0 ? ed25519Signer : secp256k1Signer)(`trading key ${index}`),
  }));
}

export function publicKeyOf({ kind, publicKey: key }: Signer): PublicKey {
  const type = kind === "ed25519" ? KeyType.KEY_TYPE_ED25519 : KeyType.KEY_TYPE_SECP256K1;
  return { type, key };
}

/** Alternates between the schemes of programs and of wallets. */
export function signedDocument(document: OrderDocument, by: Signer): SignedDocument {
  const scheme =
    document.salt % 2n === 0n
      ? SignatureScheme.SIGNATURE_SCHEME_SHA256
      : SignatureScheme.SIGNATURE_SCHEME_ADR036;
  const message = documentMessage(document, scheme, {
    kind: by.kind,
    key: by.publicKey,
    addresses,
  });
  return SignedDocument.fromPartial({
    document,
    key: publicKeyOf(by),
    scheme,
    signature: by.sign(message ?? new Uint8Array(0)),
  });
}

export function walletsOf(agents: readonly Agent[]): SimulatedWallets {
  const byAddress = new Map(agents.map((agent) => [agent.account.address, agent.account]));
  const signerOf = (owner: string): Signer => {
    const signer = byAddress.get(owner);
    if (signer === undefined) throw new Error(`nobody signs for ${owner}`);
    return signer;
  };
  return {
    sign: (owner, document) => signedDocument(document, signerOf(owner)),
    key: (owner) => publicKeyOf(signerOf(owner)),
  };
}

export interface TxSigner {
  readonly signer: Signer;
  readonly accountNumber: number;
  /** Null in an unordered transaction. */
  readonly sequence: bigint | null;
}

/** A signed TxRaw: unordered until a time, or ordered when `untilNs` is null. */
export function transaction(
  messages: readonly Message[],
  signers: readonly TxSigner[],
  { untilNs, gasLimit }: { readonly untilNs: bigint | null; readonly gasLimit: number },
): Uint8Array {
  const body = new Writer(512);
  for (const message of messages) bytesField(body, 1, any(message));
  if (untilNs !== null) {
    numberField(body, 4, 1);
    bytesField(body, 5, timestamp(untilNs));
  }
  const bodyBytes = body.finish();
  const info = authInfo(
    signers.map(({ signer: { kind, publicKey: key }, sequence }) => ({
      kind,
      key,
      sequence: sequence ?? 0n,
    })),
    gasLimit,
  );
  const tx = new Writer(1024);
  bytesField(tx, 1, bodyBytes);
  bytesField(tx, 2, info);
  for (const { signer, accountNumber } of signers)
    bytesField(tx, 3, signer.sign(signDocument(bodyBytes, info, CHAIN_ID, accountNumber)));
  return tx.finish();
}
