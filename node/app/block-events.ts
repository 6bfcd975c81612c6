/** Events of block hooks, which say by a last attribute which hook they come from. */
import type { RecordedEvent } from "@keel/consensus/wire/abci";
import { mark } from "./contexts.ts";

export function addMode(
  events: readonly RecordedEvent[],
  hook: "beginBlock" | "endBlock",
): readonly RecordedEvent[] {
  mark(events, 0, "mode", hook === "beginBlock" ? "BeginBlock" : "EndBlock");
  return events;
}
