/** What peers have sent and the driver has not yet looked at. Bounded in all and per peer, so that one cannot crowd out the rest. */
import type { GossipMessage } from "./gossip.ts";
import {
  futureBytesMax,
  futureMessagesMax,
  futureMessagesPerPeerMax,
  inboxBytesMax,
  inboxMessagesMax,
  inboxMessagesPerPeerMax,
} from "./limits.ts";
import type { PeerId } from "./ports.ts";

export interface Received {
  readonly peer: PeerId;
  readonly message: GossipMessage;
}

export interface InboxLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly perPeerMax: number;
}

export interface Inbox {
  /** False when there is no room. */
  add(received: Received): boolean;
  take(countMax: number): readonly Received[];
  readonly size: number;
}

const defaultLimits: InboxLimits = {
  messagesMax: inboxMessagesMax,
  bytesMax: inboxBytesMax,
  perPeerMax: inboxMessagesPerPeerMax,
};

/** For what belongs to the height after the one in progress. */
export function createFutureInbox(): Inbox {
  return createInbox({
    messagesMax: futureMessagesMax,
    bytesMax: futureBytesMax,
    perPeerMax: futureMessagesPerPeerMax,
  });
}

export function createInbox(limits: InboxLimits = defaultLimits): Inbox {
  let queue: Received[] = [];
  let bytes = 0;
  const perPeer = new Map<PeerId, number>();
  return {
    add(received) {
      const size = sizeOf(received.message);
      const ofPeer = perPeer.get(received.peer) ?? 0;
      const isFull = queue.length >= limits.messagesMax || bytes + size > limits.bytesMax;
      if (isFull || ofPeer >= limits.perPeerMax) return false;
      queue.push(received);
      bytes += size;
      perPeer.set(received.peer, ofPeer + 1);
      return true;
    },
    take(countMax) {
      const taken = queue.slice(0, countMax);
      queue = queue.slice(taken.length);
      for (const { peer, message } of taken) {
        bytes -= sizeOf(message);
        const left = (perPeer.get(peer) ?? 1) - 1;
        if (left === 0) perPeer.delete(peer);
        else perPeer.set(peer, left);
      }
      return taken;
    },
    get size() {
      return queue.length;
    },
  };
}

/** Fixed cost of a small message in memory, with its objects. */
export const messageBytes = 1_024;

function sizeOf(message: GossipMessage): number {
  switch (message.type) {
    case "part":
      return messageBytes + message.part.bytes.length;
    case "vote":
      return messageBytes + message.vote.extension.length;
    case "commit":
      return message.commit.extendedSignatures.reduce(
        (sum, one) => sum + messageBytes + one.extension.length,
        messageBytes,
      );
    case "proposal":
      return messageBytes;
  }
}

export function heightOf(message: GossipMessage): number {
  switch (message.type) {
    case "part":
      return message.height;
    case "vote":
      return message.vote.height;
    case "commit":
      return message.commit.height;
    case "proposal":
      return message.proposal.height;
  }
}
