/** The toy chain under the machines: opaque blocks, a validator set per height, and signatures as a public register. */

import type {
  Address,
  BlockId,
  CommitCertificate,
  Height,
  Proposal,
  ValidatorSet,
  Verified,
  Vote,
} from "../core/types.ts";
import {
  applyUpdates,
  createValidatorSet,
  incrementProposerPriority,
  type ValidatorUpdate,
} from "../core/validators.ts";

export interface Block {
  readonly id: BlockId;
  readonly height: Height;
  readonly parent: BlockId | null;
  readonly builder: Address;
  /** What every honest application says of it. */
  readonly valid: boolean;
}

export type Signable = { readonly proposal: Proposal } | { readonly vote: Vote };

/** Equal texts are equal signed contents. */
export function contentKey(content: Signable): string {
  if ("vote" in content) {
    const { kind, height, round, blockId, validator } = content.vote;
    return `${kind}/${height}/${round}/${blockId ?? "nil"}/${validator}`;
  }
  const { height, round, blockId, polRound, proposer } = content.proposal;
  return `proposal/${height}/${round}/${blockId}/${polRound}/${proposer}`;
}

export interface Chain {
  build(fields: Omit<Block, "id">): Block;
  setAt(height: Height): ValidatorSet;
  /** Only the holder of the key calls this; everybody may verify. */
  sign(content: Signable): void;
  verifyProposal(proposal: Proposal): Verified<Proposal> | null;
  verifyVote(vote: Vote): Verified<Vote> | null;
  /** Checks the precommits of the certificate in the register, by powers of its height. */
  verifyCertificate(certificate: CommitCertificate): Verified<CommitCertificate> | null;
}

export function createChain(options: {
  readonly genesis: readonly ValidatorUpdate[];
  /** Power changes decided at a height, in force from the next. */
  readonly updatesAt: (height: Height) => readonly ValidatorUpdate[];
}): Chain {
  const sets: ValidatorSet[] = [createValidatorSet(options.genesis)];
  const signed = new Set<string>();
  let blocks = 0;

  /** Height 1 is the first. */
  function setAt(height: Height): ValidatorSet {
    for (let known = sets.length; known < height; known += 1) {
      const last = sets[known - 1];
      if (last === undefined) break;
      sets.push(incrementProposerPriority(applyUpdates(last, options.updatesAt(known)), 1));
    }
    const set = sets[height - 1];
    if (set === undefined) throw new Error(`expected a height from 1 on, got ${height}`);
    return set;
  }

  return {
    build(fields) {
      blocks += 1;
      return { ...fields, id: `B${fields.height}.${blocks}` };
    },
    setAt,
    sign(content) {
      signed.add(contentKey(content));
    },
    verifyProposal: (proposal) =>
      signed.has(contentKey({ proposal })) ? (proposal as Verified<Proposal>) : null,
    verifyVote: (vote) => (signed.has(contentKey({ vote })) ? (vote as Verified<Vote>) : null),
    verifyCertificate(certificate) {
      const { height, round, blockId } = certificate;
      const set = setAt(height);
      let power = 0n;
      for (const { address, power: own } of set.validators) {
        const vote: Vote = { kind: "precommit", height, round, blockId, validator: address };
        if (signed.has(contentKey({ vote }))) power += own;
      }
      return 3n * power > 2n * set.totalPower ? (certificate as Verified<CommitCertificate>) : null;
    },
  };
}
