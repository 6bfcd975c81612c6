/**
 * The one loop between the round machine and the world. A turn takes some inputs and feeds them; before anything is signed the log
 * is flushed, so that a restart, from the same inputs, asks the signer for the same message and gets the same signature; what is
 * signed is fed back at once and leaves at the end of the turn. One fsync of the log covers all inputs up to a signature.
 */
import { setImmediate as nextTick } from "node:timers/promises";
import { createMachine } from "../core/machine.ts";
import { INVALID_QUORUM_REASON } from "../core/multiplexer.ts";
import type { CommitCertificate, Effect, Step, TimerId } from "../core/types.ts";
import { blockIdFromCore, equalPartSetHeaders } from "../wire/block-id.ts";
import type { BlockID, ExtendedCommit } from "../wire/types.ts";
import { addressToCore } from "../wire/validator-set.ts";
import { applyPeerInput, createApplier } from "./apply.ts";
import { createBlockTasks } from "./block-tasks.ts";
import { type BuiltBlock, isInitial } from "./blocks.ts";
import type { Driver, DriverOptions } from "./driver-options.ts";
import { createHeight, type HeightContext } from "./height.ts";
import { createFutureInbox, createInbox } from "./inbox.ts";
import { createIntake } from "./intake.ts";
import { futureMessagesMax, turnInputsMax } from "./limits.ts";
import { createOutbox } from "./outbox.ts";
import { createOwnMessages } from "./own-messages.ts";
import { createPeerInputs } from "./peer-inputs.ts";
import type { ChainState } from "./ports.ts";
import { lastSeenCommit, loggedRecords, replayRecords, unanswered } from "./replay.ts";
import { createPacer, createRoundTimers, type PacedHeight } from "./timers.ts";

/** Our own answers to the machine; they come before anything a peer says. */
type Event =
  | { readonly type: "begin"; readonly height: number }
  | { readonly type: "timer"; readonly timer: TimerId }
  | {
      readonly type: "built";
      readonly height: number;
      readonly round: number;
      readonly block: BuiltBlock;
    }
  | {
      readonly type: "checked";
      readonly height: number;
      readonly blockId: BlockID;
      readonly problem: string | null;
    };

export function createDriver(options: DriverOptions): Driver {
  const { app, blocks, clock, evidence, executor, gossip, signer, verify, wal } = options;
  const machine = (options.createMachine ?? createMachine)();
  const self = signer === null ? null : addressToCore(signer.address);
  const inbox = createInbox();
  const future = createFutureInbox();
  let events: Event[] = [];
  let effects: Effect[] = [];
  let at: HeightContext = createHeight(options.state, null);
  /** The machine works on `at.height`; before, the height waits for its pace. */
  let isRunning = false;
  /** When it last began to work on one. */
  let begunMs = 0;
  let isLogging = false;
  let isFlushed = true;
  /** The round of ours whose block waits for the pace. */
  let buildWaiting: number | null = null;
  let decided: CommitCertificate | null = null;
  let shown: { height: number; round: number; step: Step } = {
    height: 0,
    round: 0,
    step: "newHeight",
  };
  let isViewStale = false;
  let isStopped = false;
  let wake: () => void = () => undefined;
  let loop: Promise<void> = Promise.resolve();

  function post(event: Event): void {
    events.push(event);
    wake();
  }

  function fail(error: unknown): void {
    if (isStopped) return;
    isStopped = true;
    timers.cancelAll();
    pacer.stop();
    wake();
    options.onFatal(error instanceof Error ? error.message : String(error));
  }

  const timers = createRoundTimers(clock, (timer) => post({ type: "timer", timer }));
  const pacer = createPacer({
    clock,
    mempool: options.mempool,
    config: options.pacing,
    onReady: () => post({ type: "begin", height: at.height }),
  });
  const intake = createIntake({ app, verify });
  const apply = createApplier({
    machine,
    gossip,
    log: () => (isLogging ? append : null),
    current: () => at,
    onEffects: (more) => effects.push(...more),
    onComplete: () => {
      isViewStale = true;
    },
  });
  const tasks = createBlockTasks({
    executor,
    clock,
    onBuilt: (height, round, block) => post({ type: "built", height, round, block }),
    onChecked: (height, blockId, problem) => post({ type: "checked", height, blockId, problem }),
    onFailed: fail,
    onWarning: options.onWarning,
  });
  const own =
    signer === null
      ? null
      : createOwnMessages({
          signer,
          app,
          clock,
          onRefused: (refusal) => options.onWarning(refusal.message),
        });
  const outbox = createOutbox({ gossip, verify, apply });
  const onReceived = createPeerInputs({
    intake,
    apply,
    gossip,
    future,
    report: options.report,
    self,
    current: () => at,
    currentRound,
    isRunning: () => isRunning,
    isBeforeGenesis: () => pacer.isBeforeGenesis,
    onBegun: runHeight,
    onLatePrecommit: pacer.poke,
  });

  function append(record: Uint8Array): void {
    wal.append(record);
    isFlushed = false;
  }

  async function flush(): Promise<void> {
    if (isFlushed) return;
    isFlushed = true;
    await wal.flush();
  }

  function currentRound(): number {
    return isRunning ? machine.view().round : 0;
  }

  function runHeight(): void {
    if (isRunning) return;
    isRunning = true;
    begunMs = clock.monotonicMs();
    const { height, set } = at;
    effects.push(
      ...machine.handle({
        type: "startHeight",
        height,
        validators: set,
        self,
        timeouts: options.timeouts,
      }),
    );
    for (const input of at.early.take()) applyPeerInput(apply, input);
  }

  // ------------------------------------------------------------------ inputs

  function onEvent(event: Event): void {
    switch (event.type) {
      case "begin":
        // Of a height that others have ended meanwhile.
        if (event.height !== at.height) return;
        // It may have begun before its time: the pace is counted from its time.
        begunMs = clock.monotonicMs();
        runHeight();
        if (buildWaiting !== null) build(buildWaiting);
        return;
      case "timer":
        if (event.timer.height === at.height) apply.timer(event.timer);
        return;
      case "built": {
        const { round, step } = machine.view();
        // Of a step that has passed; its parts would only fill the log.
        if (event.height === at.height && event.round === round && step === "propose")
          apply.built(round, event.block);
        return;
      }
      case "checked":
        if (event.height === at.height) onChecked(event.blockId, event.problem);
    }
  }

  function onChecked(blockId: BlockID, problem: string | null): void {
    if (problem !== null) {
      if (at.memory.hasQuorum(blockId)) throw diverged(problem);
      options.onWarning(`block proposed at height ${at.height} is not valid: ${problem}`);
    }
    apply.checked(blockId, problem === null);
  }

  function diverged(problem: string): Error {
    return new Error(
      `more than two thirds of the validators decided a block at height ${at.height} that this node finds invalid (${problem}): ` +
        "its data or program differs from theirs, compare versions and restore the data directory from a copy",
    );
  }

  // ------------------------------------------------------------------ effects

  async function perform(effect: Effect): Promise<void> {
    switch (effect.type) {
      case "buildBlock":
        if (pacer.isReady) return build(effect.round);
        buildWaiting = effect.round;
        if (effect.round > 0) pacer.insist();
        return;
      case "checkBlock": {
        const blockId = blockIdFromCore(effect.blockId);
        const header = at.memory.view.partsHeader(effect.round);
        if (header === null || !equalPartSetHeaders(header, blockId.partSetHeader))
          apply.wanted(effect.round, blockId);
        tasks.want(effect.blockId);
        return;
      }
      case "signProposal": {
        await flush();
        const proposal = (await own?.proposal(at, effect.proposal)) ?? null;
        if (proposal !== null) outbox.proposal(at, proposal);
        return;
      }
      case "signVote": {
        await flush();
        const vote = (await own?.vote(at, effect.vote, machine.view())) ?? null;
        if (vote !== null) outbox.vote(at, vote);
        return;
      }
      case "startTimer":
        timers.start(effect.timer, effect.delayMs);
        return;
      case "polka":
        apply.wanted(effect.round, blockIdFromCore(effect.blockId));
        return;
      case "commit":
        decided = effect.certificate;
        return;
      case "equivocation":
        onEquivocation(effect);
        return;
      case "dropped":
        if (effect.reason === INVALID_QUORUM_REASON) throw diverged("see the warning before this");
        return;
      case "enterRound":
        return;
    }
  }

  function build(round: number): void {
    buildWaiting = null;
    if (signer !== null && machine.view().round === round) tasks.build(at, round, signer.address);
  }

  function onEquivocation({ first, second }: Extract<Effect, { type: "equivocation" }>): void {
    const validatorIndex = at.set.validators.findIndex((one) => one.address === first.validator);
    const votes = [first, second].map(({ kind, round, blockId }) =>
      at.memory.votes.find({
        type: kind,
        round,
        validatorIndex,
        blockId: blockIdFromCore(blockId),
      }),
    );
    const [one, other] = votes;
    if (one != null && other != null) evidence.reportConflict(one, other);
  }

  async function settle(): Promise<void> {
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift())
      await perform(effect);
    tasks.poke(at);
    outbox.send();
    showView();
    if (decided !== null) await finish(decided);
  }

  function showView(): void {
    const { round, step } = isRunning ? machine.view() : { round: 0, step: "newHeight" as const };
    const isSame = shown.height === at.height && shown.round === round && shown.step === step;
    at.memory.moveTo(round, step);
    if (isSame && !isViewStale) return;
    isViewStale = false;
    shown = { height: at.height, round, step };
    if (!isSame) options.listener?.onRound?.(at.height, round, step);
    gossip.stepChanged(at.memory.view);
  }

  async function finish({ round, blockId: name }: CommitCertificate): Promise<void> {
    const committedMs = clock.monotonicMs();
    const blockId = blockIdFromCore(name);
    const block = at.memory.parts.block(blockId);
    if (block === null || block === "invalid")
      throw new Error(`height ${at.height} was decided without its block`);
    timers.cancelAll();
    const seenCommit = at.memory.extendedCommit(round, blockId);
    const { state } = at;
    // Begun by a proposal before its time and decided in a later round: somebody's pace came in between, and ours must not run from before.
    if (round > 0 && !pacer.isReady) begunMs = committedMs;
    const next = await tasks.exclusively(() =>
      executor.commitBlock({ state, block, seenCommit, wal }),
    );
    open(next, seenCommit, { begunMs, committedMs });
  }

  function open(
    state: ChainState,
    lastCommit: ExtendedCommit | null,
    previous: PacedHeight["previous"],
  ): void {
    at = createHeight(state, lastCommit);
    isRunning = false;
    isFlushed = true;
    buildWaiting = null;
    decided = null;
    effects = [];
    tasks.reset();
    for (const received of future.take(futureMessagesMax)) inbox.add(received);
    showView();
    const { memory } = at;
    pacer.begin({
      previous,
      notBefore: isInitial(state) ? state.lastBlockTime : null,
      hasAllPrecommits: () => memory.hasAllLastPrecommits(),
    });
  }

  // ------------------------------------------------------------------ life

  async function run(): Promise<void> {
    try {
      // What the replay left to be done.
      await settle();
      while (!isStopped) {
        const own = events;
        events = [];
        const received = inbox.take(turnInputsMax);
        if (own.length === 0 && received.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        for (const event of own) onEvent(event);
        for (const one of received) await onReceived(one);
        await settle();
        // Timers and sockets get their turn however full the inbox is.
        if (inbox.size > 0) await nextTick();
      }
    } catch (error) {
      fail(error);
    }
  }

  function replay(records: readonly Uint8Array[]): void {
    if (records.length === 0) return;
    runHeight();
    replayRecords(records, { at, apply, intake, currentRound });
    effects = [...unanswered(effects, records)];
    if (signer !== null) outbox.repeat(at, signer.address, currentRound());
  }

  return {
    async start() {
      open(options.state, await lastSeenCommit(options.state, blocks), null);
      replay(await loggedRecords(wal, at.height));
      isLogging = true;
      loop = run();
    },
    async stop() {
      isStopped = true;
      timers.cancelAll();
      pacer.stop();
      wake();
      await loop;
      await tasks.exclusively(async () => undefined);
    },
    state: () => at.state,
    receive(peer, message) {
      if (isStopped || !inbox.add({ peer, message })) return false;
      wake();
      return true;
    },
    roundState: () => at.memory.view,
    blockStore: blocks,
  };
}
