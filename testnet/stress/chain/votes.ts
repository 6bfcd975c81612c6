/** Transaction 0 of a block: what four validators reported, with signatures that nobody checks here. */
import { extendedCommitFromVotes } from "@keel/consensus/wire/commit";
import type { Vote } from "@keel/consensus/wire/types";
import { encodeExtension } from "@keel/modules/oracle/extension";
import { oracleTxOf } from "@keel/node/app/oracle-tx";
import type { TestChain } from "@keel/node/app/testing/chain";
import type { SignatureVerifier } from "@keel/node/crypto/verifier";
import { createVerifier } from "@keel/node/crypto/verifier";
import { sha256 } from "@keel/proto/bytes/sha256";
import { timestampFromNanos } from "@keel/proto/bytes/timestamp";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";

const UNCHECKED = new Uint8Array(64).fill(1);

/** Every signature is taken for good: what signatures cost and who can forge them is measured and tested elsewhere. */
export function believing(): SignatureVerifier {
  const real = createVerifier({ backend: "native", workers: 0 });
  return { ...real, verifySecp256k1: () => true, verifyEd25519: () => true };
}

export interface FeedReport {
  readonly feedId: number;
  readonly mantissa: bigint;
}

/** `reportsOf`: what validator `index` says. */
export function votesTx(
  chain: TestChain,
  reportsOf: (index: number) => readonly FeedReport[],
): Uint8Array {
  const { height } = chain;
  const blockId = {
    hash: sha256(utf8ToBytes(`block ${height}`)),
    partSetHeader: { total: 1, hash: sha256(utf8ToBytes("part")) },
  };
  const validators = chain.validators.map(({ info }) => info);
  const precommits = validators.map((info, index): Vote => {
    const reports = reportsOf(index).map((one) => ({ ...one, confidence: 1n }));
    return {
      type: "precommit",
      ...{ height, round: 0, blockId, timestamp: timestampFromNanos(chain.timeNs(height)) },
      ...{ validatorAddress: info.address, validatorIndex: index },
      extension: encodeExtension(reports),
      ...{ signature: UNCHECKED, extensionSignature: UNCHECKED },
    };
  });
  return oracleTxOf(extendedCommitFromVotes({ height, round: 0, blockId, validators, precommits }));
}
