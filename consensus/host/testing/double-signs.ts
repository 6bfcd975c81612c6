/** Finds what no correct validator does: two signatures of one key for different things at the same place. */
import { bytesToHex } from "@keel/proto/bytes/hex";
import { blockIdToCore } from "../../wire/block-id.ts";
import type { Disk } from "./node.ts";

export function doubleSigns(disk: Disk): readonly string[] {
  const seen = new Map<string, string>();
  const found: string[] = [];
  const note = (place: string, what: string): void => {
    if ((seen.get(place) ?? what) !== what) found.push(place);
    seen.set(place, what);
  };
  for (const vote of disk.book.votes) {
    const { seconds, nanos } = vote.timestamp;
    note(
      `${vote.type} ${vote.height}/${vote.round}`,
      `${blockIdToCore(vote.blockId)} ${seconds}.${nanos} ${bytesToHex(vote.signature)}`,
    );
  }
  for (const proposal of disk.book.proposals) {
    note(
      `proposal ${proposal.height}/${proposal.round}`,
      `${blockIdToCore(proposal.blockId)} ${proposal.polRound}`,
    );
  }
  return found;
}
