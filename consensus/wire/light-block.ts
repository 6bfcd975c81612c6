/** SignedHeader and LightBlock: what light clients exchange and what evidence of an attack on one carries. */

import { equalBytes } from "@keel/proto/bytes/compare";
import { commitMessage } from "./commit.ts";
import { embedded } from "./fields.ts";
import { headerHash, headerMessage, headerProblem } from "./header.ts";
import { evidenceBytesMax } from "./limits.ts";
import { type Message, message } from "./message.ts";
import type { LightBlock, SignedHeader } from "./types.ts";
import { validatorSetMessage, validatorSetProblem, validatorsHash } from "./validator-set.ts";

/** `tendermint.types.SignedHeader`; both parts must be there. */
export const signedHeaderMessage: Message<SignedHeader> = message<SignedHeader>("SignedHeader", {
  header: embedded(1, headerMessage),
  commit: embedded(2, commitMessage),
});

/** `tendermint.types.LightBlock`; both parts must be there. */
export const lightBlockMessage: Message<LightBlock> = message<LightBlock>(
  "LightBlock",
  {
    signedHeader: embedded(1, signedHeaderMessage),
    validatorSet: embedded(2, validatorSetMessage),
  },
  { bytesMax: evidenceBytesMax },
);

/** Why header and commit do not belong together, or null. Signatures are not checked here. */
export function signedHeaderProblem({ header, commit }: SignedHeader): string | null {
  const problem = headerProblem(header);
  if (problem !== null) return `header: ${problem}`;
  if (commit.height !== header.height)
    return `expected a commit of height ${header.height}, got ${commit.height}`;
  return equalBytes(commit.blockId.hash, headerHash(header))
    ? null
    : "expected a commit for this header's hash";
}

/** Why header, commit and set do not belong together, or null. */
export function lightBlockProblem({ signedHeader, validatorSet }: LightBlock): string | null {
  const problem = signedHeaderProblem(signedHeader) ?? validatorSetProblem(validatorSet);
  if (problem !== null) return problem;
  return equalBytes(signedHeader.header.validatorsHash, validatorsHash(validatorSet.validators))
    ? null
    : "expected the validator set that the header names";
}
