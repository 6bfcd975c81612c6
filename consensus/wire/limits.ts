/** Every bound of the byte layer with its reason. CometBFT's own are marked; changing those forks from it. */

/** CometBFT: longest chain id in a header. */
export const chainIdBytesMax = 50;
/** CometBFT: ed25519 signatures are 64 bytes; nothing longer is a signature. */
export const signatureBytesMax = 64;
export const addressBytes = 20;
export const hashBytes = 32;
export const publicKeyBytes = 32;

/** CometBFT: one block part; the last of a block may be shorter. */
export const partBytesMax = 65_536;
/** CometBFT: 100 MiB, what `block.max_bytes` = −1 stands for. */
export const blockBytesMax = 104_857_600;
export const partsMax: number = Math.floor((blockBytesMax - 1) / partBytesMax) + 1;
/** CometBFT: framing of Block around header, data, evidence and commit. */
export const blockOverheadBytes = 11;
/** CometBFT: longest valid encoded header. */
export const headerBytesMax = 626;
/** CometBFT: Commit without signatures, and one CommitSig with its framing. */
export const commitOverheadBytes = 94;
export const commitSignatureBytes = 111;
/** CometBFT: validators in one set, hence signatures in one commit. */
export const commitSignaturesMax = 10_000;
/** CometBFT: sibling hashes of one Merkle proof; a tree of 2^100 leaves is beyond any input. */
export const proofAuntsMax = 100;
/** CometBFT: int64 bound that leaves room for priority sums. */
export const totalPowerMax: bigint = ((1n << 63n) - 1n) / 8n;
/** CometBFT: one vote extension. The application's own limit is far lower. */
export const extensionBytesMax = 1_048_576;

/**
 * Transactions of one block. CometBFT has no such bound, but an empty transaction takes two bytes of a block and over a
 * hundred of heap, so 100 MiB of them would end the process. At the default block size this still allows 84 bytes each.
 */
export const blockTransactionsMax = 262_144;
/** Evidence of one block: an encoded duplicate vote is about 400 bytes and `evidence.max_bytes` defaults to 1 MiB. */
export const blockEvidenceMax = 4_096;
/** An encoded Evidence: a light client attack carries a whole validator set and commit. */
export const evidenceBytesMax = 4_194_304;

/** Vote without extension is below 350 bytes; the rest is for the extension. */
export const voteBytesMax: number = 512 + extensionBytesMax;
export const proposalBytesMax = 512;
/** Part bytes, its proof of at most 100 hashes, framing. */
export const partMessageBytesMax: number = partBytesMax + proofAuntsMax * 34 + 128;
export const commitBytesMax: number =
  commitOverheadBytes + commitSignaturesMax * commitSignatureBytes;
/** Extended commits hold one extension per validator: bounded as a block is. */
export const extendedCommitBytesMax: number = blockBytesMax;
export const validatorSetBytesMax: number = (commitSignaturesMax + 1) * 96 + 64;

/** Our own stored answers: decoded again only from our own disk, so the bound is only against a corrupt length. */
export const finalizeBlockResponseBytesMax = 536_870_912;
/** Results, events and attributes are bounded by gas; these bound a corrupt record. */
export const eventsMax = 4_194_304;
export const attributesMax = 65_536;

/** Genesis text: application state of a large exported chain. */
export const genesisTextMax = 536_870_912;
