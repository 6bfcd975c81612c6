/** Transaction bytes: body, auth info and signature, for direct and amino signers, sequenced or unordered. */
import {
  encodeEd25519Pubkey,
  encodeSecp256k1Pubkey,
  makeSignDoc as makeAminoSignDoc,
  type Pubkey,
  type StdFee,
} from "@cosmjs/amino";
import { fromBase64 } from "@cosmjs/encoding";
import {
  type EncodeObject,
  encodePubkey,
  isOfflineDirectSigner,
  makeAuthInfoBytes,
  makeSignDoc,
  type OfflineSigner,
  type Registry,
} from "@cosmjs/proto-signing";
import type { AminoTypes } from "@cosmjs/stargate";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { SignMode } from "cosmjs-types/cosmos/tx/signing/v1beta1/signing";
import { TxBody, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import { KeelInputError } from "./errors.ts";

const NS_PER_SECOND = 1_000_000_000n;

export interface SigningContext {
  readonly signer: OfflineSigner;
  readonly address: string;
  /** The address's key: 33 bytes of secp256k1 or 32 of ed25519. */
  readonly pubkey: Uint8Array;
  readonly chainId: string;
  readonly registry: Registry;
  readonly aminoTypes: AminoTypes;
}

export interface TxToSign {
  readonly messages: readonly EncodeObject[];
  readonly fee: StdFee;
  readonly memo: string;
  readonly accountNumber: number;
  /** 0 for unordered transactions. */
  readonly sequence: number;
  /** Present: unordered, and dead once block time has passed it. */
  readonly timeoutNs?: bigint;
}

export interface SignedTx {
  readonly bytes: Uint8Array;
  /** Upper-case hex, the chain's name of the transaction. */
  readonly hash: string;
}

/** Signs in the mode the signer offers: direct if it can, amino otherwise. */
export async function signTx(context: SigningContext, tx: TxToSign): Promise<SignedTx> {
  const raw = isOfflineDirectSigner(context.signer)
    ? await signDirect(context, tx)
    : await signAmino(context, tx);
  const bytes = TxRaw.encode(raw).finish();
  return { bytes, hash: bytesToHex(sha256(bytes)) };
}

async function signDirect(context: SigningContext, tx: TxToSign): Promise<TxRaw> {
  const { signer, address, pubkey, chainId, registry } = context;
  if (!isOfflineDirectSigner(signer))
    throw new KeelInputError("unsupported-signer", "signer", "expected a direct signer");
  const { fee, accountNumber, sequence } = tx;
  const body = bodyOf(registry, tx);
  const authInfo = makeAuthInfoBytes(
    [{ pubkey: encodePubkey(aminoKey(pubkey)), sequence }],
    fee.amount,
    Number(fee.gas),
    fee.granter,
    fee.payer,
  );
  const document = makeSignDoc(TxBody.encode(body).finish(), authInfo, chainId, accountNumber);
  const { signature, signed } = await signer.signDirect(address, document);
  return TxRaw.fromPartial({
    bodyBytes: signed.bodyBytes,
    authInfoBytes: signed.authInfoBytes,
    signatures: [fromBase64(signature.signature)],
  });
}

function bodyOf(
  registry: Registry,
  { messages, memo, timeoutNs }: Pick<TxToSign, "messages" | "memo" | "timeoutNs">,
): TxBody {
  return TxBody.fromPartial({
    messages: messages.map((message) => registry.encodeAsAny(message)),
    memo,
    ...(timeoutNs === undefined
      ? {}
      : {
          unordered: true,
          timeoutTimestamp: {
            seconds: timeoutNs / NS_PER_SECOND,
            nanos: Number(timeoutNs % NS_PER_SECOND),
          },
        }),
  });
}

const ED25519_KEY_BYTES = 32;

/** A public key as CosmJS names it, told by its length. */
export function aminoKey(key: Uint8Array): Pubkey {
  return key.length === ED25519_KEY_BYTES ? encodeEd25519Pubkey(key) : encodeSecp256k1Pubkey(key);
}

export interface SharedTx {
  readonly messages: readonly EncodeObject[];
  readonly fee: StdFee;
  readonly memo: string;
  /** In the order of the signers. */
  readonly accountNumbers: readonly number[];
  readonly timeoutNs: bigint;
}

/** An unordered transaction signed by several, in the order in which its messages name them. Direct signers only. */
export async function signTogether(
  contexts: readonly SigningContext[],
  tx: SharedTx,
): Promise<SignedTx> {
  const [first] = contexts;
  if (first === undefined)
    throw new KeelInputError("unsupported-signer", "signers", "expected at least one");
  const bodyBytes = TxBody.encode(bodyOf(first.registry, tx)).finish();
  const authInfoBytes = makeAuthInfoBytes(
    contexts.map(({ pubkey }) => ({ pubkey: encodePubkey(aminoKey(pubkey)), sequence: 0 })),
    tx.fee.amount,
    Number(tx.fee.gas),
    undefined,
    undefined,
  );
  const signatures: Uint8Array[] = [];
  for (const [i, { signer, address, chainId }] of contexts.entries()) {
    if (!isOfflineDirectSigner(signer))
      throw new KeelInputError("unsupported-signer", "signer", "expected direct signers");
    const number = tx.accountNumbers[i] ?? 0;
    const document = makeSignDoc(bodyBytes, authInfoBytes, chainId, number);
    const { signature } = await signer.signDirect(address, document);
    signatures.push(fromBase64(signature.signature));
  }
  const bytes = TxRaw.encode(TxRaw.fromPartial({ bodyBytes, authInfoBytes, signatures })).finish();
  return { bytes, hash: bytesToHex(sha256(bytes)) };
}

async function signAmino(context: SigningContext, tx: TxToSign): Promise<TxRaw> {
  const { signer, address, pubkey, chainId, registry, aminoTypes } = context;
  if (isOfflineDirectSigner(signer))
    throw new KeelInputError("unsupported-signer", "signer", "expected an amino signer");
  if (tx.timeoutNs !== undefined)
    throw new KeelInputError(
      "unsupported-signer",
      "signer",
      "expected a direct signer: amino JSON cannot express unordered transactions",
    );
  const { fee, memo, accountNumber, sequence } = tx;
  const messages = tx.messages.map((message) => aminoTypes.toAmino(message));
  const document = makeAminoSignDoc(messages, fee, chainId, memo, accountNumber, sequence);
  const { signature, signed } = await signer.signAmino(address, document);
  // The wallet may have changed memo or fee: what was signed is what is sent.
  const body = TxBody.fromPartial({
    messages: signed.msgs.map((message) => registry.encodeAsAny(aminoTypes.fromAmino(message))),
    memo: signed.memo,
  });
  const authInfo = makeAuthInfoBytes(
    [
      {
        pubkey: encodePubkey(aminoKey(pubkey)),
        sequence: Number(signed.sequence),
      },
    ],
    signed.fee.amount,
    Number(signed.fee.gas),
    signed.fee.granter,
    signed.fee.payer,
    SignMode.SIGN_MODE_LEGACY_AMINO_JSON,
  );
  return TxRaw.fromPartial({
    bodyBytes: TxBody.encode(body).finish(),
    authInfoBytes: authInfo,
    signatures: [fromBase64(signature.signature)],
  });
}
