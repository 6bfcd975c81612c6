/**
 * What a toy node holds of the running heights, and who lacks what of it: the rule of the real reactor (../net/round-status.ts), so
 * that its one bit per validator and its word on quorums are tried under the same attacks as the machine.
 */

import type { BlockId, Height } from "../core/types.ts";
import { isQuorum } from "../core/votes.ts";
import { type Chain, contentKey, type Signable } from "./chain.ts";
import type { Status } from "./messages.ts";

export interface Holdings {
  has(content: Signable): boolean;
  add(content: Signable): void;
  /** Forgets earlier heights. */
  startHeight(height: Height): void;
  contents(): Iterable<Signable>;
  claims(height: Height): Pick<Status, "slots" | "quorums">;
  lackedBy(status: Status): readonly Signable[];
}

/** One round and kind of votes. */
interface Box {
  /** By validator: of an equivocator's votes the quorum's, else the first. */
  readonly votes: Map<string, Signable>;
  readonly power: Map<BlockId | null, bigint>;
  quorum: { readonly blockId: BlockId | null } | null;
}

export function createHoldings(chain: Chain): Holdings {
  let held = new Map<string, Signable>();

  function boxesOf(height: Height): ReadonlyMap<string, Box> {
    const boxes = new Map<string, Box>();
    const set = chain.setAt(height);
    for (const content of held.values()) {
      if (!("vote" in content) || content.vote.height !== height) continue;
      const { validator, blockId } = content.vote;
      const box = boxes.get(boxOf(content)) ?? { votes: new Map(), power: new Map(), quorum: null };
      boxes.set(boxOf(content), box);
      const own = set.validators.find(({ address }) => address === validator)?.power ?? 0n;
      const power = (box.power.get(blockId) ?? 0n) + own;
      box.power.set(blockId, power);
      if (isQuorum(power, set.totalPower)) box.quorum ??= { blockId };
    }
    for (const content of held.values()) {
      const box = boxes.get(boxOf(content));
      if (!("vote" in content) || content.vote.height !== height || box === undefined) continue;
      const { validator, blockId } = content.vote;
      const isOfQuorum = box.quorum !== null && box.quorum.blockId === blockId;
      if (isOfQuorum || !box.votes.has(validator)) box.votes.set(validator, content);
    }
    return boxes;
  }

  function lackedOf(name: string, { votes, quorum }: Box, status: Status): readonly Signable[] {
    const ours = [...votes.values()];
    const ofQuorum =
      quorum === null || status.quorums.has(name)
        ? []
        : ours.filter((content) => "vote" in content && content.vote.blockId === quorum.blockId);
    const isHeld = (content: Signable): boolean => status.slots.has(slotOf(content));
    if (ofQuorum.length > 0 && ofQuorum.every(isHeld)) return ofQuorum;
    return ours.filter((content) => !isHeld(content));
  }

  return {
    has: (content) => held.has(contentKey(content)),
    add(content) {
      held.set(contentKey(content), content);
    },
    startHeight(height) {
      held = new Map([...held].filter(([, content]) => heightOf(content) >= height));
    },
    contents: () => held.values(),
    claims(height) {
      const boxes = [...boxesOf(height)];
      return {
        slots: new Set([...held.values()].map(slotOf)),
        quorums: new Set(boxes.filter(([, box]) => box.quorum !== null).map(([name]) => name)),
      };
    },
    lackedBy(status) {
      const proposals = [...held.values()].filter(
        (content) =>
          "proposal" in content &&
          content.proposal.height === status.height &&
          !status.slots.has(slotOf(content)),
      );
      const votes = [...boxesOf(status.height)].flatMap(([name, box]) =>
        lackedOf(name, box, status),
      );
      return [...proposals, ...votes];
    },
  };
}

export function heightOf(content: Signable): Height {
  return "vote" in content ? content.vote.height : content.proposal.height;
}

function boxOf(content: Signable): string {
  if (!("vote" in content)) return "";
  const { height, round, kind } = content.vote;
  return `${height}/${round}/${kind}`;
}

/** Says who spoke where, not for what. */
function slotOf(content: Signable): string {
  if ("vote" in content) return `${boxOf(content)}/${content.vote.validator}`;
  return `${content.proposal.height}/${content.proposal.round}`;
}
