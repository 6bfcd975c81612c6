/**
 * Test scripts for the machine: rows of *when input → effects, state*, in words. Blocks and validators are single names; the
 * validators A, B, C, D have equal power unless told otherwise, so the proposers of rounds 0, 1, 2, 3 are A, B, C, D.
 *
 *   start [h] · proposal r X [pol p] · prevote r X A B … · precommit r nil C … · certificate r X
 *   built r X · valid X · invalid X · timeout propose|prevote|precommit r        (any row may end in "at h" for another height)
 */

import { createMachine } from "../machine.ts";
import type {
  Effect,
  Input,
  Machine,
  MachineView,
  Proposal,
  Verified,
  Vote,
  VoteKind,
} from "../types.ts";
import { createValidatorSet } from "../validators.ts";

/** Input, effects separated by "; ", and optionally the state after them. */
export type Row = readonly [input: string, effects: string, state?: string];

export interface Setup {
  /** The validator the machine signs for; null follows only. */
  readonly self?: string | null;
  readonly powers?: Readonly<Record<string, bigint>>;
}

const EQUAL_POWERS: Readonly<Record<string, bigint>> = { A: 1n, B: 1n, C: 1n, D: 1n };

/** Plays the inputs and returns the rows as they really went, to be compared with the expected ones. */
export function play(setup: Setup, rows: readonly Row[]): Row[] {
  const machine = createMachine();
  return rows.map(([input, , state]) => {
    const effects = parse(input, setup).flatMap((parsed) => machine.handle(parsed));
    const said = effects.map(sayEffect).join("; ");
    return state === undefined ? [input, said] : [input, said, sayState(machine)];
  });
}

/** The inputs a row stands for: votes name several voters. */
export function parse(row: string, setup: Setup): Input[] {
  const [text = "", at = "1"] = row.split(" at ");
  const height = Number(at);
  const [word = "", first = "", second = "", ...rest] = text.split(" ");
  switch (word) {
    case "start":
      return [startHeight(first === "" ? 1 : Number(first), setup)];
    case "proposal": {
      const [keyword, pol] = rest;
      const round = Number(first);
      const polRound = keyword === "pol" ? Number(pol) : -1;
      const by = keyword === "by" ? (pol ?? "") : proposerOf(round, setup);
      const proposal: Proposal = { height, round, blockId: second, polRound, proposer: by };
      return [{ type: "proposal", proposal: verified(proposal) }];
    }
    case "prevote":
    case "precommit":
      return rest.map((validator) => ({
        type: "vote",
        vote: vote({ kind: word, height, round: first, block: second, validator }),
      }));
    case "certificate":
      return [
        {
          type: "certificate",
          certificate: verified({ height, round: Number(first), blockId: second }),
        },
      ];
    case "built":
      return [{ type: "blockBuilt", height, round: Number(first), blockId: second }];
    case "valid":
    case "invalid":
      return [{ type: "blockChecked", height, blockId: first, valid: word === "valid" }];
    case "timeout": {
      const step = first === "propose" || first === "prevote" ? first : "precommit";
      return [{ type: "timerFired", timer: { height, round: Number(second), step } }];
    }
    default:
      throw new Error(`unknown row: ${row}`);
  }
}

function startHeight(height: number, setup: Setup): Input {
  const powers = setup.powers ?? EQUAL_POWERS;
  const validators = createValidatorSet(
    Object.keys(powers).map((address) => ({ address, power: powers[address] ?? 0n })),
  );
  const timeouts = {
    proposeMs: 3000,
    proposeDeltaMs: 500,
    prevoteMs: 1000,
    prevoteDeltaMs: 500,
    precommitMs: 1000,
    precommitDeltaMs: 500,
  };
  return {
    type: "startHeight",
    height,
    validators,
    self: setup.self === undefined ? "A" : setup.self,
    timeouts,
  };
}

/** With equal powers the rotation is the order of names. */
function proposerOf(round: number, setup: Setup): string {
  const names = Object.keys(setup.powers ?? EQUAL_POWERS);
  return names[round % names.length] ?? "";
}

function vote(fields: {
  kind: VoteKind;
  height: number;
  round: string;
  block: string;
  validator: string;
}): Verified<Vote> {
  const { kind, height, round, block, validator } = fields;
  return verified({
    kind,
    height,
    round: Number(round),
    blockId: block === "nil" ? null : block,
    validator,
  });
}

function verified<T>(value: T): Verified<T> {
  return value as Verified<T>;
}

function sayEffect(effect: Effect): string {
  switch (effect.type) {
    case "buildBlock":
      return `build ${effect.round}`;
    case "checkBlock":
      return `check ${effect.round} ${effect.blockId}`;
    case "signProposal": {
      const { round, blockId, polRound } = effect.proposal;
      return polRound === -1
        ? `propose ${round} ${blockId}`
        : `propose ${round} ${blockId} pol ${polRound}`;
    }
    case "signVote":
      return sayVote(effect.vote);
    case "startTimer":
      return `timer ${effect.timer.step} ${effect.timer.round} ${effect.delayMs}`;
    case "enterRound":
      return `enter ${effect.round} ${effect.proposer}`;
    case "polka":
      return `polka ${effect.round} ${effect.blockId}`;
    case "commit":
      return `commit ${effect.certificate.round} ${effect.certificate.blockId}`;
    case "equivocation":
      return `equivocation ${effect.first.validator}: ${sayVote(effect.first)}, ${sayVote(effect.second)}`;
    case "dropped":
      return `dropped: ${effect.reason}`;
  }
}

function sayVote(said: Vote): string {
  return `${said.kind} ${said.round} ${said.blockId ?? "nil"}`;
}

function sayState(machine: Machine): string {
  const view: MachineView = machine.view();
  const locked =
    view.lockedBlockId === null ? "" : ` locked ${view.lockedBlockId}@${view.lockedRound}`;
  const valid = view.validBlockId === null ? "" : ` valid ${view.validBlockId}@${view.validRound}`;
  return `${view.height}/${view.round} ${view.step}${locked}${valid}`;
}
