/**
 * The Transport port without sockets: nodes of one hub in one process, with delay, loss, partitions and link cuts under the
 * test's control. Order within a channel is kept, frames are copied, bounds are those of the real one.
 */
import type { Channel, Clock, PeerId, PeerInfo, Transport } from "../host/ports.ts";
import { HandlerTable, type NetLog, silentLog } from "./handlers.ts";
import { channelLimits, channels } from "./limits.ts";
import { PeerScores } from "./peer-score.ts";

export interface MemoryHubOptions {
  readonly clock: Pick<Clock, "monotonicMs" | "startTimer">;
  readonly delayMs?: number | ((from: PeerId, to: PeerId) => number);
  /** Frames lost, in parts per million. A real stream loses none; this stands for full queues at either end. */
  readonly dropPpm?: number;
  /** Uniform in [0, 1); needed where frames are to be lost. */
  readonly random?: () => number;
  /** Whether two nodes are linked when both run; default: all are. */
  readonly linked?: (a: PeerId, b: PeerId) => boolean;
}

interface Pipe {
  readonly inFlight: Record<Channel, number>;
  /** Arrival of the last frame sent: later frames never overtake it. */
  lastArrivalMs: number;
  dropped: number;
}

export class MemoryHub {
  readonly clock: Pick<Clock, "monotonicMs" | "startTimer">;
  readonly #options: MemoryHubOptions;
  readonly #nodes = new Map<PeerId, MemoryTransport>();
  readonly #cut = new Set<string>();
  /** Group of each node; frames between different groups vanish. */
  #groups: ReadonlyMap<PeerId, number> = new Map();
  dropPpm: number;

  constructor(options: MemoryHubOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.dropPpm = options.dropPpm ?? 0;
  }

  create(id: PeerId, log: NetLog = silentLog): MemoryTransport {
    return new MemoryTransport(this, id, log);
  }

  /** Frames pass only within a group; links stay up, as they do in a network that is merely silent. */
  partition(groups: readonly (readonly PeerId[])[]): void {
    this.#groups = new Map(groups.flatMap((ids, group) => ids.map((id) => [id, group] as const)));
  }

  heal(): void {
    this.#groups = new Map();
  }

  /** Takes the link down; both ends are told. */
  cut(a: PeerId, b: PeerId): void {
    this.#cut.add(pair(a, b));
    this.#nodes.get(a)?.linkDown(b);
    this.#nodes.get(b)?.linkDown(a);
  }

  mend(a: PeerId, b: PeerId): void {
    this.#cut.delete(pair(a, b));
    this.#link(a, b);
  }

  /** For transports only. */
  join(node: MemoryTransport): void {
    if (this.#nodes.has(node.self))
      throw new Error(`hub: expected a new id, got ${node.self} again`);
    this.#nodes.set(node.self, node);
    for (const other of this.#nodes.keys()) this.#link(node.self, other);
  }

  leave(node: MemoryTransport): void {
    this.#nodes.delete(node.self);
    for (const other of this.#nodes.values()) other.linkDown(node.self);
  }

  /** Delivers a frame after the hub's delay, or loses it. `arrived` is called in both cases. */
  carry(
    from: PeerId,
    to: PeerId,
    pipe: Pipe,
    deliver: (target: MemoryTransport) => void,
    arrived: () => void,
  ): void {
    const { delayMs = 0, random = () => 1 } = this.#options;
    const wait = typeof delayMs === "number" ? delayMs : delayMs(from, to);
    const nowMs = this.clock.monotonicMs();
    const arrivalMs = Math.max(nowMs + wait, pipe.lastArrivalMs);
    pipe.lastArrivalMs = arrivalMs;
    const lost = this.#groups.get(from) !== this.#groups.get(to) || random() * 1e6 < this.dropPpm;
    const arrive = (): void => {
      arrived();
      const target = this.#nodes.get(to);
      if (!lost && target !== undefined) deliver(target);
    };
    if (arrivalMs <= nowMs) setImmediate(arrive);
    else this.clock.startTimer(arrivalMs - nowMs, arrive);
  }

  #link(a: PeerId, b: PeerId): void {
    const left = this.#nodes.get(a);
    const right = this.#nodes.get(b);
    if (a === b || left === undefined || right === undefined || this.#cut.has(pair(a, b))) return;
    if (this.#options.linked?.(a, b) === false || left.refuses(b) || right.refuses(a)) return;
    left.linkUp(b, true);
    right.linkUp(a, false);
  }
}

export class MemoryTransport implements Transport {
  readonly self: PeerId;
  readonly #hub: MemoryHub;
  readonly #handlers: HandlerTable;
  readonly #scores = new PeerScores();
  readonly #peers = new Map<
    PeerId,
    { readonly pipe: Pipe; readonly info: Omit<PeerInfo, "dropped"> }
  >();
  #running = false;

  constructor(hub: MemoryHub, id: PeerId, log: NetLog) {
    this.self = id;
    this.#hub = hub;
    this.#handlers = new HandlerTable(log, (peer, reason) => this.report(peer, reason, "major"));
  }

  start(): Promise<void> {
    this.#running = true;
    this.#hub.join(this);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    if (this.#running) {
      this.#running = false;
      this.#hub.leave(this);
      for (const peer of [...this.#peers.keys()]) this.linkDown(peer);
    }
    return Promise.resolve();
  }

  peers(): readonly PeerInfo[] {
    return [...this.#peers.values()].map(({ info, pipe }) => ({ ...info, dropped: pipe.dropped }));
  }

  send(peer: PeerId, channel: Channel, message: Uint8Array): boolean {
    const link = this.#peers.get(peer);
    if (link === undefined) return false;
    const { pipe } = link;
    const limits = channelLimits[channel];
    if (message.length > limits.frameBytesMax || pipe.inFlight[channel] >= limits.sendFramesMax) {
      pipe.dropped += 1;
      return false;
    }
    pipe.inFlight[channel] += 1;
    const copy = message.slice();
    this.#hub.carry(
      this.self,
      peer,
      pipe,
      (target) => target.receive(this.self, channel, copy),
      () => {
        pipe.inFlight[channel] -= 1;
      },
    );
    return true;
  }

  broadcast(channel: Channel, message: Uint8Array, except?: PeerId): void {
    for (const peer of this.#peers.keys()) if (peer !== except) this.send(peer, channel, message);
  }

  onMessage(channel: Channel, handler: (peer: PeerId, message: Uint8Array) => void): void {
    this.#handlers.addMessage(channel, handler);
  }

  onPeer(handler: (peer: PeerId, change: "up" | "down") => void): void {
    this.#handlers.addPeer(handler);
  }

  report(peer: PeerId, _reason: string, severity: "minor" | "major"): void {
    const nowMs = this.#hub.clock.monotonicMs();
    if (this.#scores.report(peer, severity, nowMs)) this.#hub.cut(this.self, peer);
  }

  refuses(peer: PeerId): boolean {
    return this.#scores.isBanned(peer, this.#hub.clock.monotonicMs());
  }

  /** For the hub only. */
  receive(from: PeerId, channel: Channel, message: Uint8Array): void {
    // An empty frame is a keep-alive on the real streams.
    if (this.#running && this.#peers.has(from) && message.length > 0)
      this.#handlers.message(from, channel, message);
  }

  linkUp(peer: PeerId, outbound: boolean): void {
    if (this.#peers.has(peer)) return;
    const inFlight = Object.fromEntries(channels.map((channel) => [channel, 0])) as Record<
      Channel,
      number
    >;
    this.#peers.set(peer, {
      pipe: { inFlight, lastArrivalMs: 0, dropped: 0 },
      info: {
        id: peer,
        address: `${peer}@memory:0`,
        moniker: peer,
        outbound,
        connectedSinceMs: this.#hub.clock.monotonicMs(),
      },
    });
    this.#handlers.peer(peer, "up");
  }

  linkDown(peer: PeerId): void {
    if (this.#peers.delete(peer)) this.#handlers.peer(peer, "down");
  }
}

function pair(a: PeerId, b: PeerId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
