/**
 * The consensus core: `handle(input) → effects`, deterministic in its inputs, so that the write-ahead log is the list of
 * inputs and a restart is a replay. Runs one height at a time (multiplexer.ts); inputs of the next heights wait, and are handed
 * back when their height starts, so that the log from a height's start on holds everything that height was told.
 * Our own signed votes and proposals come back as inputs like everybody's; until then nothing assumes that they were sent.
 */

import { createFutureHeights, type EarlyInput } from "./future-heights.ts";
import {
  createHeightMachine,
  type HeightInput,
  type HeightMachine,
  type StartHeight,
} from "./multiplexer.ts";
import type { Effect, Height, Input, Machine, MachineView } from "./types.ts";

const NOT_STARTED: MachineView = {
  height: 0,
  round: 0,
  step: "newHeight",
  lockedRound: -1,
  lockedBlockId: null,
  validRound: -1,
  validBlockId: null,
  proposer: null,
};

/** A machine that waits for its first startHeight. Never throws on a decoded input: what is stale or pointless is `dropped`. */
export function createMachine(): Machine {
  const future = createFutureHeights();
  let running: HeightMachine | null = null;
  let currentHeight: Height = 0;

  function startHeight(input: StartHeight): readonly Effect[] {
    if (!Number.isSafeInteger(input.height) || input.height <= currentHeight)
      return dropped("height already started");
    if (input.validators.validators.length === 0) return dropped("height without validators");
    const started = createHeightMachine(input);
    running = started;
    currentHeight = input.height;
    const early = future.take(input.height);
    return early.length === 0
      ? started.start()
      : [...started.start(), { type: "early", inputs: early }];
  }

  function later(input: HeightInput, height: Height): readonly Effect[] {
    const early = asEarly(input);
    if (early === null) return dropped("answer for a height not started");
    const refused =
      running === null ? "no height has started" : future.add(early, { height, currentHeight });
    return refused === null ? [] : dropped(refused);
  }

  return {
    handle(input) {
      if (input.type === "startHeight") return startHeight(input);
      const height = heightOf(input);
      if (!Number.isSafeInteger(height)) return dropped("impossible height");
      if (running === null || height > currentHeight) return later(input, height);
      return height < currentHeight ? dropped("earlier height") : running.handle(input);
    },
    view: () => running?.view() ?? NOT_STARTED,
  };
}

function heightOf(input: HeightInput): Height {
  switch (input.type) {
    case "proposal":
      return input.proposal.height;
    case "vote":
      return input.vote.height;
    case "certificate":
      return input.certificate.height;
    case "blockBuilt":
    case "blockChecked":
      return input.height;
    case "timerFired":
      return input.timer.height;
  }
}

function asEarly(input: Exclude<Input, StartHeight>): EarlyInput | null {
  return input.type === "blockBuilt" || input.type === "timerFired" ? null : input;
}

function dropped(reason: string): readonly Effect[] {
  return [{ type: "dropped", reason }];
}
