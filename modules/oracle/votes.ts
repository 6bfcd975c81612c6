/** What the validators of a set said in a commit. */
import { bytesToKey } from "../kit/collections/codecs.ts";
import type { ValidatorVote } from "./aggregate.ts";
import { decodeExtension } from "./extension.ts";
import type { OracleValidator } from "./ports.ts";

/** Of one validator in a commit. */
export interface CommitVote {
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** Any bytes: malformed ones count as no vote. */
  readonly extension: Uint8Array;
}

/** One entry per validator of the set, in its order. Votes of others are passed over. */
export function votesOf(
  validators: readonly OracleValidator[],
  votes: readonly CommitVote[],
): readonly ValidatorVote[] {
  const extensions = new Map<string, Uint8Array>();
  for (const { address, extension } of votes) extensions.set(bytesToKey(address), extension);
  return validators.map(({ address, power }) => {
    const extension = extensions.get(bytesToKey(address));
    if (extension === undefined) return { power, vote: null };
    const decoded = decodeExtension(extension);
    return { power, vote: "vote" in decoded ? decoded.vote : null };
  });
}
