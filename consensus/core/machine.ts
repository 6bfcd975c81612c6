/**
 * The consensus core: `handle(input) → effects`, deterministic in its inputs, so that the write-ahead log is the list of
 * inputs and a restart is a replay. Runs one height at a time (multiplexer.ts). What belongs to a later height is dropped and
 * must come again after its `startHeight`: the log of a height then holds everything that height was told.
 * Our own signed votes and proposals come back as inputs like everybody's; until then nothing assumes that they were sent.
 */

import {
  createHeightMachine,
  type HeightInput,
  type HeightMachine,
  type StartHeight,
} from "./multiplexer.ts";
import type { Effect, Height, Machine, MachineView } from "./types.ts";

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
  let running: HeightMachine | null = null;
  let currentHeight: Height = 0;

  function startHeight(input: StartHeight): readonly Effect[] {
    if (!Number.isSafeInteger(input.height) || input.height <= currentHeight)
      return dropped("height already started");
    if (input.validators.validators.length === 0) return dropped("height without validators");
    running = createHeightMachine(input);
    currentHeight = input.height;
    return running.start();
  }

  return {
    handle(input) {
      if (input.type === "startHeight") return startHeight(input);
      const height = heightOf(input);
      if (!Number.isSafeInteger(height)) return dropped("impossible height");
      if (running === null || height > currentHeight) return dropped("height not started");
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

function dropped(reason: string): readonly Effect[] {
  return [{ type: "dropped", reason }];
}
