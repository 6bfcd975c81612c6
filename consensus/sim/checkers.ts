/**
 * What must hold whatever happens, restated without a line of the core: own quorum arithmetic over everything that was signed,
 * by anyone. Checked after every signature and every commit; the first violation ends the run.
 */

import type {
  Address,
  BlockId,
  CommitCertificate,
  Height,
  Proposal,
  Round,
  ValidatorSet,
  Vote,
} from "../core/types.ts";
import type { Block } from "./chain.ts";

export class SimulationFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SimulationFailure";
  }
}

export interface Checkers {
  /** Everything signed, honest or not, when it is signed. */
  onVote(vote: Vote): void;
  onProposal(proposal: Proposal): void;
  onBlock(block: Block): void;
  /** An honest node decided. */
  onCommit(node: string, certificate: CommitCertificate): void;
  /** An honest node reports an equivocation. */
  onEquivocation(first: Vote, second: Vote): void;
  heightOf(node: string): Height;
  decided(height: Height): BlockId | undefined;
}

interface Locked {
  readonly round: Round;
  readonly blockId: BlockId;
}

export function createCheckers(options: {
  readonly setAt: (height: Height) => ValidatorSet;
  readonly isHonest: (address: Address) => boolean;
}): Checkers {
  const { setAt, isHonest } = options;
  const blocks = new Map<BlockId, Block>();
  const decided = new Map<Height, BlockId>();
  const heights = new Map<string, Height>();
  const proposed = new Set<string>();
  /** Signers per kind, height, round and block. */
  const signers = new Map<string, Set<Address>>();
  /** What an honest validator signed for a kind, height and round. */
  const honestSigned = new Map<string, string>();
  /** An honest validator's last precommit for a block, per height. */
  const locks = new Map<string, Locked>();

  function expect(condition: boolean, message: () => string): void {
    if (!condition) throw new SimulationFailure(message());
  }

  function hasTwoThirds(
    kind: Vote["kind"],
    at: { height: Height; round: Round; blockId: BlockId },
  ): boolean {
    const who = signers.get(`${kind}/${at.height}/${at.round}/${at.blockId}`) ?? new Set();
    let power = 0n;
    let total = 0n;
    for (const validator of setAt(at.height).validators) {
      total += validator.power;
      if (who.has(validator.address)) power += validator.power;
    }
    return power * 3n > total * 2n;
  }

  function signOnce(slot: string, content: string): void {
    const before = honestSigned.get(slot);
    expect(
      before === undefined || before === content,
      () => `double sign: ${slot} for ${before} and for ${content}`,
    );
    honestSigned.set(slot, content);
  }

  function checkHonestPrevote(vote: Vote): void {
    const { height, round, blockId, validator } = vote;
    if (blockId === null) return;
    expect(
      blocks.get(blockId)?.valid === true,
      () => `${validator} prevoted the invalid block ${blockId} at ${height}/${round}`,
    );
    expect(
      proposed.has(`${height}/${round}/${blockId}`),
      () => `${validator} prevoted ${blockId} at ${height}/${round}, never proposed there`,
    );
    const lock = locks.get(`${height}/${validator}`);
    if (lock === undefined || lock.blockId === blockId || lock.round >= round) return;
    for (let later = lock.round + 1; later < round; later += 1) {
      if (hasTwoThirds("prevote", { height, round: later, blockId })) return;
    }
    throw new SimulationFailure(
      `${validator} prevoted ${blockId} at ${height}/${round} against its lock on ${lock.blockId} of round ${lock.round}`,
    );
  }

  function checkHonestPrecommit(vote: Vote): void {
    const { height, round, blockId, validator } = vote;
    if (blockId === null) return;
    const justified = hasTwoThirds("prevote", { height, round, blockId });
    expect(
      justified,
      () =>
        `${validator} precommitted ${blockId} at ${height}/${round} without two thirds of prevotes`,
    );
    locks.set(`${height}/${validator}`, { round, blockId });
  }

  return {
    onVote(vote) {
      const { kind, height, round, blockId, validator } = vote;
      const key = `${kind}/${height}/${round}/${blockId ?? "nil"}`;
      const who = signers.get(key) ?? new Set();
      signers.set(key, who);
      const again = who.has(validator);
      who.add(validator);
      if (again || !isHonest(validator)) return;
      signOnce(`${kind} ${validator} ${height}/${round}`, blockId ?? "nil");
      if (kind === "prevote") checkHonestPrevote(vote);
      else checkHonestPrecommit(vote);
    },
    onProposal(proposal) {
      const { height, round, blockId, polRound, proposer } = proposal;
      proposed.add(`${height}/${round}/${blockId}`);
      if (isHonest(proposer))
        signOnce(`proposal ${proposer} ${height}/${round}`, `${blockId} pol ${polRound}`);
    },
    onBlock(block) {
      blocks.set(block.id, block);
    },
    onCommit(node, { height, round, blockId }) {
      const before = decided.get(height);
      expect(
        before === undefined || before === blockId,
        () => `agreement: height ${height} decided as ${before} and as ${blockId} by ${node}`,
      );
      decided.set(height, blockId);
      const last = heights.get(node) ?? 0;
      expect(height === last + 1, () => `${node} decided height ${height} after height ${last}`);
      heights.set(node, height);
      const block = blocks.get(blockId);
      expect(
        block?.valid === true && block.height === height,
        () => `${node} decided ${blockId}, no valid block of height ${height}`,
      );
      expect(
        block?.parent === (decided.get(height - 1) ?? null),
        () => `${node} decided ${blockId} on the parent ${block?.parent}`,
      );
      const justified = hasTwoThirds("precommit", { height, round, blockId });
      expect(
        justified,
        () => `${node} decided ${blockId} at ${height}/${round} without two thirds of precommits`,
      );
    },
    onEquivocation(first, second) {
      const same =
        first.kind === second.kind &&
        first.height === second.height &&
        first.round === second.round;
      const conflict =
        same && first.validator === second.validator && first.blockId !== second.blockId;
      expect(
        conflict,
        () => `reported as equivocation: ${JSON.stringify(first)} and ${JSON.stringify(second)}`,
      );
      expect(!isHonest(first.validator), () => `honest ${first.validator} accused of equivocation`);
    },
    heightOf: (node) => heights.get(node) ?? 0,
    decided: (height) => decided.get(height),
  };
}
