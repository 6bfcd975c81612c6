/**
 * Transaction 0: a `TxRaw` with one unsigned MsgOracleUpdate that carries the previous height's extended commit. It has exactly one
 * encoding; its commit is judged against the validator set the oracle keeps in state.
 */
import { extendedCommitMessage } from "@keel/consensus/wire/commit";
import type { ExtendedCommit, ValidatorInfo } from "@keel/consensus/wire/types";
import { verifyExtendedCommit } from "@keel/consensus/wire/verify";
import type { CommitPort, OracleValidator } from "@keel/modules/oracle/ports";
import { equalBytes } from "@keel/proto/bytes/compare";
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { MsgOracleUpdate } from "@keel/proto/gen/keel/oracle/v1/tx";
import { TxBody, TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import type { SignatureVerifier } from "../crypto/verifier.ts";

export const ORACLE_UPDATE = "/keel.oracle.v1.MsgOracleUpdate";

/** Whether a block at `height` must begin with an oracle update; `enableHeight` is the consensus parameter, 0 for off. */
export function oracleTxRequired(enableHeight: number, height: number): boolean {
  return enableHeight > 0 && height > enableHeight;
}

function encodeOracleTx(update: MsgOracleUpdate): Uint8Array {
  const value = MsgOracleUpdate.encode(update).finish();
  const body = TxBody.fromPartial({ messages: [{ typeUrl: ORACLE_UPDATE, value }] });
  return TxRaw.encode(
    TxRaw.fromPartial({
      bodyBytes: TxBody.encode(body).finish(),
      authInfoBytes: new Uint8Array(0),
      signatures: [],
    }),
  ).finish();
}

/** `outdated`: its votes are from before an outage, says the proposer's clock. */
export function oracleTxOf(commit: ExtendedCommit, outdated: boolean = false): Uint8Array {
  return encodeOracleTx({ extendedCommit: extendedCommitMessage.encode(commit), outdated });
}

/** The message of a well-formed transaction 0, or null. */
export function readOracleTx(bytes: Uint8Array): MsgOracleUpdate | null {
  try {
    const raw = TxRaw.decode(bytes);
    const [message] = TxBody.decode(raw.bodyBytes).messages;
    if (message?.typeUrl !== ORACLE_UPDATE) return null;
    const update = MsgOracleUpdate.decode(message.value);
    // Anything besides the one message (a memo, a signature, unknown fields) shows as other bytes.
    return equalBytes(encodeOracleTx(update), bytes) ? update : null;
  } catch {
    // Undecodable is one way of not being an oracle update.
    return null;
  }
}

function toValidatorInfo(one: OracleValidator): ValidatorInfo {
  return { address: one.address, pubKey: one.pubKey, power: one.power, priority: 0n };
}

/** The oracle's view of commits, where the consensus encodings are known. */
export function createCommitPort(verifier: SignatureVerifier): CommitPort {
  return {
    verifyExtendedCommit(ctx, bytes, validators) {
      const commit = decodeCommit(bytes);
      if (commit instanceof DecodeError) return { refusal: commit.message };
      const verdict = verifyExtendedCommit(commit, {
        chainId: ctx.header.chainId,
        validators: validators.map(toValidatorInfo),
        extensionsEnabled: true,
        verifySignature: (key, message, signature) =>
          verifier.verifyEd25519(key, message, signature),
      });
      if (!verdict.ok) return { refusal: verdict.message };
      const votes = commit.extendedSignatures.flatMap((signature, index) => {
        const validator = validators[index];
        if (signature.flag !== "commit" || validator === undefined) return [];
        const { address, power } = validator;
        return [{ address, power, extension: signature.extension }];
      });
      return { height: commit.height, round: commit.round, votes };
    },
  };
}

function decodeCommit(bytes: Uint8Array): ExtendedCommit | DecodeError {
  try {
    return extendedCommitMessage.decode(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}
