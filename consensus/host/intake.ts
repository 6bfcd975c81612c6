/**
 * The gate for what peers say: belongs to the height, is not known yet, is signed by whom it claims. What passes may be fed to
 * the core; a refusal says whether the peer who brought it is to blame.
 */
import { PROPOSAL_ROUNDS_AHEAD_MAX } from "../core/limits.ts";
import type {
  CommitCertificate,
  Proposal as CoreProposal,
  Vote as CoreVote,
  Verified,
} from "../core/types.ts";
import type { ExtendedCommit, Proposal, ValidatorInfo, Vote } from "../wire/types.ts";
import { verifyExtendedCommit, verifyProposal, verifyVote } from "../wire/verify.ts";
import { carriesExtension } from "../wire/vote.ts";
import type { HeightContext } from "./height.ts";
import type { Application, VerifyEd25519 } from "./ports.ts";

export type Passed<T> =
  | { readonly type: "passed"; readonly value: Verified<T> }
  /** Nothing new, or not of use: nobody's fault. */
  | { readonly type: "ignored" }
  | { readonly type: "refused"; readonly reason: string; readonly severity: "minor" | "major" };

const ignored = { type: "ignored" } as const;

function refused(reason: string, severity: "minor" | "major" = "major"): Passed<never> {
  return { type: "refused", reason, severity };
}

export interface Intake {
  proposal(at: HeightContext, proposal: Proposal, currentRound: number): Passed<CoreProposal>;
  vote(at: HeightContext, vote: Vote): Passed<CoreVote>;
  /** A precommit of the height before, after it was decided. */
  lateVote(at: HeightContext, vote: Vote): Passed<CoreVote>;
  certificate(at: HeightContext, commit: ExtendedCommit): Passed<CommitCertificate>;
  /** The application's word on a passed precommit's extension; null accepts. Not asked for our own and for logged votes. */
  extensionProblem(vote: Vote): Promise<string | null>;
}

export interface IntakeOptions {
  readonly app: Application;
  readonly verify: VerifyEd25519;
}

export function createIntake({ app, verify }: IntakeOptions): Intake {
  function checkVote(
    at: HeightContext,
    vote: Vote,
    of: { readonly validators: readonly ValidatorInfo[]; readonly extensionsEnabled: boolean },
  ): Passed<CoreVote> {
    const verdict = verifyVote(vote, { chainId: at.state.chainId, ...of, verifySignature: verify });
    return verdict.ok ? { type: "passed", value: verdict.value } : refused(verdict.message);
  }

  return {
    proposal(at, proposal, currentRound) {
      const { round } = proposal;
      if (round < currentRound || at.memory.proposal(round) !== null) return ignored;
      // Checked before the proposer is computed: the rotation walks one step per round, and the sender chose the round.
      if (round > currentRound + PROPOSAL_ROUNDS_AHEAD_MAX) return ignored;
      if (proposal.blockId.partSetHeader.total > at.partsMax) {
        return refused(
          `proposal: expected at most ${at.partsMax} parts, got ${proposal.blockId.partSetHeader.total}`,
          "minor",
        );
      }
      const context = {
        chainId: at.state.chainId,
        proposer: at.proposerAt(round),
        verifySignature: verify,
      };
      const verdict = verifyProposal(proposal, context);
      return verdict.ok ? { type: "passed", value: verdict.value } : refused(verdict.message);
    },
    vote(at, vote) {
      if (at.memory.votes.find(vote) !== null) return ignored;
      return checkVote(at, vote, {
        validators: at.state.validators,
        extensionsEnabled: at.extensionsEnabled,
      });
    },
    lateVote(at, vote) {
      if (!at.memory.isLate(vote)) return ignored;
      return checkVote(at, vote, {
        validators: at.state.lastValidators,
        extensionsEnabled: at.lastExtensionsEnabled,
      });
    },
    certificate(at, commit) {
      if (at.memory.view.commitRound >= 0) return ignored;
      const verdict = verifyExtendedCommit(commit, {
        chainId: at.state.chainId,
        validators: at.state.validators,
        extensionsEnabled: at.extensionsEnabled,
        verifySignature: verify,
      });
      return verdict.ok ? { type: "passed", value: verdict.value } : refused(verdict.message);
    },
    async extensionProblem(vote) {
      if (!carriesExtension(vote) || vote.extensionSignature.length === 0) return null;
      try {
        const accepted = await app.verifyVoteExtension({
          blockHash: vote.blockId.hash,
          height: vote.height,
          address: vote.validatorAddress,
          extension: vote.extension,
        });
        return accepted ? null : "vote: the application refused its extension";
      } catch (error) {
        // The bytes are a peer's: whatever they do to the application must not stop every validator that sees them.
        if (error instanceof RangeError) throw error;
        return `vote: the application failed on its extension: ${(error as Error).message}`;
      }
    },
  };
}
