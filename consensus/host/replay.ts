/**
 * The restart inside a height: the logged inputs go through a fresh core. Nothing is sent and nothing new is signed while that
 * lasts; what was asked for and not answered in the log is asked again afterwards.
 */
import type { Effect } from "../core/types.ts";
import { blockIdToCore } from "../wire/block-id.ts";
import type { ExtendedCommit } from "../wire/types.ts";
import { addressToCore } from "../wire/validator-set.ts";
import type { Applier } from "./apply.ts";
import { isInitial } from "./blocks.ts";
import type { HeightContext } from "./height.ts";
import type { Intake } from "./intake.ts";
import type { BlockStore, ChainState, WriteAheadLog } from "./ports.ts";
import { decodeLogRecord, type LogRecord } from "./wal-records.ts";

export interface ReplayOptions {
  readonly at: HeightContext;
  readonly apply: Applier;
  readonly intake: Intake;
  readonly currentRound: () => number;
}

/** Feeds the records in order. Throws one sentence when the log does not fit the state. */
export function replayRecords(records: readonly Uint8Array[], options: ReplayOptions): void {
  for (const bytes of records) {
    const record = decodeRecord(bytes);
    if (heightOf(record) !== options.at.height) {
      throw new Error(
        `the write-ahead log holds a record of height ${heightOf(record)} where ${options.at.height} was expected`,
      );
    }
    replayRecord(record, options);
  }
}

function decodeRecord(bytes: Uint8Array): LogRecord {
  try {
    return decodeLogRecord(bytes);
  } catch (error) {
    throw new Error(
      `the write-ahead log was written by another version: ${(error as Error).message}`,
    );
  }
}

function heightOf(record: LogRecord): number {
  switch (record.type) {
    case "proposal":
      return record.proposal.height;
    case "vote":
      return record.vote.height;
    case "timer":
      return record.timer.height;
    case "part":
    case "wanted":
    case "built":
    case "checked":
      return record.height;
  }
}

/** Signatures are checked again: the mark that the core asks for is not something a file can give. */
function replayRecord(record: LogRecord, { at, apply, intake, currentRound }: ReplayOptions): void {
  switch (record.type) {
    case "proposal": {
      const passed = intake.proposal(at, record.proposal, currentRound());
      if (passed.type === "passed") apply.proposal(passed.value, record.proposal, null);
      return;
    }
    case "vote": {
      const passed = intake.vote(at, record.vote);
      if (passed.type === "passed") apply.vote(passed.value, record.vote, null);
      return;
    }
    case "part":
      apply.part(record.round, record.part, null);
      return;
    case "timer":
      apply.timer(record.timer);
      return;
    case "wanted":
      apply.wanted(record.round, record.blockId);
      return;
    case "built":
      apply.builtInput(record.round, record.blockId);
      return;
    case "checked":
      apply.checked(record.blockId, record.valid);
  }
}

/** The commit the previous block was decided by; null before the first block. */
export async function lastSeenCommit(
  state: ChainState,
  blocks: BlockStore,
): Promise<ExtendedCommit | null> {
  if (isInitial(state)) return null;
  const seen = await blocks.loadSeenCommit(state.lastHeight);
  if (seen !== null) return seen;
  throw new Error(
    `the commit of block ${state.lastHeight} is missing: restore the data directory from a copy`,
  );
}

/** The records of the height in progress; an empty list where the log does not reach, as after block sync. */
export async function loggedRecords(
  wal: WriteAheadLog,
  height: number,
): Promise<readonly Uint8Array[]> {
  if ((await wal.readAfterEndHeight(height)) !== null) {
    throw new Error(
      `the write-ahead log says that height ${height} has ended, but the stores do not have it: ` +
        "they come from an older copy, and voting again could sign twice; restore the newer one",
    );
  }
  const records = await wal.readAfterEndHeight(height - 1);
  if (records === null) await wal.writeEndHeight(height - 1);
  return records ?? [];
}

/** What a replay left unanswered, in order: requests whose answer the log holds are struck out. */
export function unanswered(
  effects: readonly Effect[],
  records: readonly Uint8Array[],
): readonly Effect[] {
  const answers = new Set(records.map((bytes) => answerKey(decodeLogRecord(bytes))));
  return effects.filter((effect) => {
    const key = requestKey(effect);
    return key === null || !answers.has(key);
  });
}

function requestKey(effect: Effect): string | null {
  switch (effect.type) {
    case "signProposal":
      return `proposal ${effect.proposal.round}`;
    case "signVote":
      return `vote ${effect.vote.kind} ${effect.vote.round} ${effect.vote.validator}`;
    case "buildBlock":
      return `built ${effect.round}`;
    case "checkBlock":
      return `checked ${effect.blockId}`;
    case "startTimer":
      return `timer ${effect.timer.round} ${effect.timer.step}`;
    default:
      return null;
  }
}

function answerKey(record: LogRecord): string | null {
  switch (record.type) {
    case "proposal":
      return `proposal ${record.proposal.round}`;
    case "vote":
      return `vote ${record.vote.type} ${record.vote.round} ${addressToCore(record.vote.validatorAddress)}`;
    case "built":
      return `built ${record.round}`;
    case "checked":
      return `checked ${blockIdToCore(record.blockId)}`;
    case "timer":
      return `timer ${record.timer.round} ${record.timer.step}`;
    default:
      return null;
  }
}
