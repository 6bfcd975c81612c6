/** Transaction bytes: body, auth info and signature, for direct and amino signers, sequenced or unordered. */
import { encodeSecp256k1Pubkey, makeSignDoc as makeAminoSignDoc, type StdFee } from "@cosmjs/amino";
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
  /** Compressed secp256k1 key of the address. */
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
  const { messages, fee, memo, accountNumber, sequence, timeoutNs } = tx;
  const body = TxBody.fromPartial({
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
  const authInfo = makeAuthInfoBytes(
    [{ pubkey: encodePubkey(encodeSecp256k1Pubkey(pubkey)), sequence }],
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
        pubkey: encodePubkey(encodeSecp256k1Pubkey(pubkey)),
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
