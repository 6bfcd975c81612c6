/** Events of block hooks, which say by a last attribute which hook they come from. */
import { type CollectedEvent, mark } from "./contexts.ts";

export function addMode(
  events: readonly CollectedEvent[],
  hook: "beginBlock" | "endBlock",
): readonly CollectedEvent[] {
  mark(events, "mode", hook === "beginBlock" ? "BeginBlock" : "EndBlock");
  return events;
}
