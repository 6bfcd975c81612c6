/** What a validator whose key the test holds may sign, for the height a node stands at: validly signed, whatever it says. */
import { ed25519Sign } from "../../wire/ed25519.ts";
import { ed25519Address } from "../../wire/keys.ts";
import { proposalSignBytes, voteExtensionSignBytes, voteSignBytes } from "../../wire/sign-bytes.ts";
import type { BlockID, Proposal, Vote } from "../../wire/types.ts";
import { findValidator } from "../../wire/validator-set.ts";
import { ed25519PublicKey } from "../signer.ts";
import { createRealClock } from "./clocks.ts";
import { seedOf, type TestNode } from "./node.ts";

const clock = createRealClock();
const none = new Uint8Array(0);

/** A block that nobody has. */
export const fakeBlock: BlockID = {
  hash: new Uint8Array(32).fill(7),
  partSetHeader: { total: 1, hash: new Uint8Array(32).fill(8) },
};

/** A prevote of round 0 for `fakeBlock` by the validator with key `key`, but for what `change` says. */
export function forgeVote(node: TestNode, key: number, change: Partial<Vote> = {}): Vote {
  const { chainId } = node.driver.state();
  const address = ed25519Address(ed25519PublicKey(seedOf(key)));
  const view = node.driver.roundState();
  const unsigned: Vote = {
    type: "prevote",
    height: view.height,
    round: 0,
    blockId: fakeBlock,
    timestamp: clock.now(),
    validatorAddress: address,
    validatorIndex: findValidator(view.validators, address)?.index ?? 0,
    signature: none,
    extension: none,
    extensionSignature: none,
    ...change,
  };
  const isExtended = unsigned.type === "precommit" && unsigned.blockId.hash.length > 0;
  return {
    ...unsigned,
    signature: ed25519Sign(seedOf(key), voteSignBytes(chainId, unsigned)),
    extensionSignature: isExtended
      ? ed25519Sign(seedOf(key), voteExtensionSignBytes(chainId, unsigned))
      : none,
  };
}

/** A proposal of round 0 for `fakeBlock`, signed with `key`, but for what `change` says. */
export function forgeProposal(
  node: TestNode,
  key: number,
  change: Partial<Proposal> = {},
): Proposal {
  const unsigned: Proposal = {
    height: node.driver.roundState().height,
    round: 0,
    polRound: -1,
    blockId: fakeBlock,
    timestamp: clock.now(),
    signature: none,
    ...change,
  };
  const bytes = proposalSignBytes(node.driver.state().chainId, unsigned);
  return { ...unsigned, signature: ed25519Sign(seedOf(key), bytes) };
}
