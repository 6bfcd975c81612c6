/** Building and checking blocks beside the driver's loop, so that votes are counted while the application works. */
import { compareTimestamps, type Timestamp } from "@keel/proto/bytes/timestamp";
import type { BlockId } from "../core/types.ts";
import { blockIdFromCore } from "../wire/block-id.ts";
import { extensionsProblem } from "../wire/commit.ts";
import type { BlockID } from "../wire/types.ts";
import { type BuiltBlock, isAheadOfClock } from "./blocks.ts";
import type { Executor } from "./execution.ts";
import type { HeightContext } from "./height.ts";
import { blockTimeToleranceMs } from "./limits.ts";
import type { Clock, StoredBlock } from "./ports.ts";

export interface BlockTasks {
  build(at: HeightContext, round: number, proposerAddress: Uint8Array): void;
  /** Wants a verdict on the block; it comes once its parts are complete. */
  want(blockId: BlockId): void;
  /** Starts what has become possible: parts complete, or decided by others. */
  poke(at: HeightContext): void;
  /** A new height: verdicts still under way are of no use. */
  reset(): void;
  /** Runs after everything the application is doing, and keeps it to itself meanwhile. */
  exclusively<T>(run: () => Promise<T>): Promise<T>;
}

export interface BlockTasksOptions {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly onBuilt: (height: number, round: number, block: BuiltBlock) => void;
  readonly onChecked: (height: number, blockId: BlockID, problem: string | null) => void;
  readonly onFailed: (error: unknown) => void;
  readonly onWarning: (text: string) => void;
}

export function createBlockTasks(options: BlockTasksOptions): BlockTasks {
  const { executor, clock } = options;
  const wanted = new Set<BlockId>();
  const running = new Set<BlockId>();
  /** Not to be judged yet by our clock, and said so. */
  const early = new Set<BlockId>();
  /** From when the application takes a block as a proposal. */
  const proposable = new Map<BlockId, Timestamp | null>();
  let queue: Promise<unknown> = Promise.resolve();

  function exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = queue.then(run);
    queue = result.catch(() => undefined);
    return result;
  }

  function background(run: () => Promise<void>): void {
    exclusively(run).catch(options.onFailed);
  }

  /** Of a block that others have already decided only the rules of the chain are asked, not an opinion. */
  async function problemOf(
    at: HeightContext,
    stored: StoredBlock,
    isDecided: boolean,
  ): Promise<string | null> {
    const problem = await executor.validateBlock(at.state, stored);
    if (problem !== null || isDecided) return problem;
    try {
      return (await executor.processProposal(at.state, stored))
        ? null
        : "the application refused it";
    } catch (error) {
      // The bytes are a proposer's: a block that trips the application must cost its proposer the round, not all validators their lives.
      if (error instanceof RangeError) throw error;
      return `the application failed on it: ${(error as Error).message}`;
    }
  }

  /** Why our clock does not take the block as a proposal yet, or null. */
  function whyEarly(name: BlockId, stored: StoredBlock): string | null {
    const now = clock.now();
    if (isAheadOfClock(stored.block, now, blockTimeToleranceMs))
      return "is ahead of this machine's clock";
    if (!proposable.has(name)) proposable.set(name, executor.proposableFrom(stored));
    const from = proposable.get(name) ?? null;
    return from !== null && compareTimestamps(now, from) < 0
      ? "is not to be voted for yet by this machine's clock"
      : null;
  }

  function check(at: HeightContext, name: BlockId): void {
    const blockId = blockIdFromCore(name);
    const stored = at.memory.parts.block(blockId);
    if (stored === null || running.has(name)) return;
    if (stored === "invalid") {
      wanted.delete(name);
      options.onChecked(at.height, blockId, "its bytes are not a consistent block");
      return;
    }
    const isDecided = at.memory.hasQuorum(blockId);
    // Not a verdict, since it is our clock against theirs: left open until ours has come so far or a quorum has decided.
    const why = isDecided ? null : whyEarly(name, stored);
    if (why !== null) {
      if (!early.has(name))
        options.onWarning(`block ${name.slice(0, 12)} at height ${at.height} ${why}`);
      early.add(name);
      return;
    }
    wanted.delete(name);
    running.add(name);
    background(async () => {
      const problem = await problemOf(at, stored, isDecided);
      running.delete(name);
      options.onChecked(at.height, blockId, problem);
    });
  }

  return {
    build(at, round, proposerAddress) {
      const lastCommit = at.memory.lastCommit();
      const problem =
        lastCommit === null ? null : extensionsProblem(lastCommit, at.lastExtensionsEnabled);
      if (problem !== null) {
        options.onWarning(
          `cannot propose at height ${at.height}: the last commit lacks extensions (${problem})`,
        );
        return;
      }
      background(async () => {
        const block = await executor.createProposalBlock(at.state, { lastCommit, proposerAddress });
        options.onBuilt(at.height, round, block);
      });
    },
    want(blockId) {
      wanted.add(blockId);
    },
    poke(at) {
      for (const blockId of [...wanted]) check(at, blockId);
    },
    reset() {
      wanted.clear();
      running.clear();
      early.clear();
      proposable.clear();
    },
    exclusively,
  };
}
