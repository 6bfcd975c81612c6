/** SHA-256 by node's OpenSSL. Chosen through the `#sha256` import under the `node` condition. */

import { hash } from "node:crypto";
import { concatBytes } from "./compare.ts";
import {
  blocksOf,
  digests,
  hashLanes,
  laneBlocksMax,
  laneMemory,
  laneStart,
  lanes,
  padLane,
} from "./sha256-lanes.ts";

/** SHA-256 of `bytes`, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  // A latin1 ("binary") string is by far the cheapest thing node's hash can return: most of the rest is allocating a Buffer.
  const text = hash("sha256", bytes, "binary");
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i++) digest[i] = text.charCodeAt(i);
  return digest;
}

/** Longest message a lane holds. */
const laneLengthMax: number = laneBlocksMax * 64 - 9;

/** SHA-256 of `prefix ‖ message` for each, 32 bytes each, one after another. Four at a time where they have as many blocks. */
export function sha256Each(messages: readonly Uint8Array[], prefix: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 * messages.length);
  const view = new DataView(out.buffer);
  /** Places of the messages of so many blocks. */
  const groups: number[][] = Array.from({ length: laneBlocksMax + 1 }, () => []);
  messages.forEach((message, place) => {
    const length = prefix.length + message.length;
    if (length > laneLengthMax) out.set(sha256(concatBytes(prefix, message)), 32 * place);
    else (groups[blocksOf(length)] as number[]).push(place);
  });
  groups.forEach((places, blocks) => {
    for (let first = 0; first < places.length; first += lanes) {
      const count = Math.min(lanes, places.length - first);
      for (let lane = 0; lane < count; lane++) {
        const message = messages[places[first + lane] as number] as Uint8Array;
        const start = laneStart(lane);
        laneMemory.set(prefix, start);
        laneMemory.set(message, start + prefix.length);
        padLane(lane, prefix.length + message.length);
      }
      hashLanes(blocks);
      for (let lane = 0; lane < count; lane++) {
        const at = 32 * (places[first + lane] as number);
        for (let word = 0; word < 8; word++)
          view.setInt32(at + 4 * word, digests[word * lanes + lane] as number);
      }
    }
  });
  return out;
}
