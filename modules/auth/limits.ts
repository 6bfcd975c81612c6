/** Bounds of what one transaction may ask for, each with its reason. */

/** A threshold key is walked recursively; nesting has no use beyond one level. */
export const MULTISIG_DEPTH_MAX = 2;
/** Bounds the work of checking one signature; the signature count rule (default 7) binds long before. */
export const MULTISIG_KEYS_MAX = 64;
/** Bounds the work of decoding before any fee is known. */
export const MESSAGES_MAX = 500;
export const SIGNERS_MAX = 64;
export const EXTENSIONS_MAX = 16;
export const FEE_COINS_MAX = 16;
/** Unordered transactions expire within this, so the nonce window stays small. */
export const UNORDERED_TTL_MAX_NS: bigint = 600_000_000_000n;
/** Gas of an unordered transaction, as the SDK's: for removing its nonces later. Looking them up and keeping them is charged beside it, as any state is. */
export const UNORDERED_GAS = 2240;
/** Nonces removed per block at most, and records of blocks; the rest go in the next ones. */
export const NONCES_REMOVED_PER_BLOCK_MAX = 10_000;
/** Nonces in one record: 28 kilobytes, as a value of any store may be. */
export const NONCES_PER_RECORD = 1_000;
