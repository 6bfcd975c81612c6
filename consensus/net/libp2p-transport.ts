/**
 * The Transport port over libp2p: authenticated peers, one long-lived stream per channel, bounded queues both ways, persistent
 * peers redialled, misbehaviour scored. Whatever a peer sends, the worst it gets is a closed connection and a ban.
 */
import "./polyfill.ts";
import { randomBytes } from "node:crypto";
import { equalBytes } from "@keel/proto/bytes/compare";
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import type { Channel, Clock, PeerId, PeerInfo, Transport } from "../host/ports.ts";
import type { ChannelStream } from "./channel-stream.ts";
import { HandlerTable, type NetLog, silentLog } from "./handlers.ts";
import { encodeHello, protocolVersion } from "./hello.ts";
import { InboundScheduler } from "./inbound-scheduler.ts";
import { connectionHost, createLibp2pNode, libp2pPeerToId, startListening } from "./libp2p-node.ts";
import { channelLimits, channels, dialMs, handshakeMs, inboundPeersMax } from "./limits.ts";
import type { NodeKey } from "./node-key.ts";
import { type HostPort, hostPortToMultiaddr, type PeerAddress } from "./peer-address.ts";
import { channelProtocol, type LinkContext, PeerLink } from "./peer-link.ts";
import { PeerScores } from "./peer-score.ts";
import { Redialer } from "./redialer.ts";

export interface Libp2pTransportOptions {
  readonly key: NodeKey;
  readonly chainId: string;
  readonly moniker: string;
  /** Null: dials only. */
  readonly listen: HostPort | null;
  readonly persistentPeers: readonly PeerAddress[];
  readonly clock: Pick<Clock, "monotonicMs" | "startTimer">;
  readonly log?: NetLog;
  /** Chains whose blocks exceed the default raise `blocksync` here, on every node. */
  readonly frameBytesMax?: Readonly<Partial<Record<Channel, number>>>;
  readonly inboundPeersMax?: number;
}

/** What the edge has met since it was made; for metrics. */
export interface NetCounters {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Outgoing frames refused by a full queue or an absent peer. */
  droppedOut: number;
  /** Inbound frames refused as malformed or oversized. */
  refusedIn: number;
  reports: number;
  bans: number;
  dialFailures: number;
}

export class Libp2pTransport implements Transport {
  readonly self: PeerId;
  readonly counters: NetCounters = {
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    droppedOut: 0,
    refusedIn: 0,
    reports: 0,
    bans: 0,
    dialFailures: 0,
  };
  readonly #options: Libp2pTransportOptions;
  readonly #log: NetLog;
  readonly #handlers: HandlerTable;
  readonly #scores = new PeerScores();
  readonly #session = randomBytes(8);
  /** Every open link by connection id; `#up` holds the one admitted link of each peer. */
  readonly #links = new Map<string, PeerLink>();
  readonly #up = new Map<PeerId, PeerLink>();
  readonly #dials = new Map<PeerLink, { resolve(): void; reject(error: Error): void }>();
  #redialer: Redialer;
  #scheduler: InboundScheduler;
  #node: Libp2p | null = null;
  #context: LinkContext | null = null;
  #listening: HostPort | null = null;

  constructor(options: Libp2pTransportOptions) {
    this.#options = options;
    this.self = options.key.id;
    this.#log = options.log ?? silentLog;
    this.#handlers = new HandlerTable(this.#log, (peer, reason) => {
      this.counters.refusedIn += 1;
      this.report(peer, reason, "major");
    });
    this.#redialer = this.#createRedialer();
    this.#scheduler = this.#createScheduler();
  }

  /** Where this node listens once started (with the port the system chose, where it was 0). */
  get address(): PeerAddress | null {
    return this.#listening === null ? null : { id: this.self, ...this.#listening };
  }

  async start(): Promise<void> {
    if (this.#node !== null) throw new Error("transport: already started");
    const node = await createLibp2pNode({
      key: this.#options.key,
      listen: this.#options.listen,
      isRefused: (peer) => peer === this.self || this.#scores.isBanned(peer, this.#nowMs()),
    });
    node.addEventListener("connection:open", ({ detail }) => this.#onConnection(detail));
    // A hostile stranger must not grow the address book by changing keys.
    node.addEventListener("peer:disconnect", ({ detail }) => {
      node.peerStore.delete(detail).catch(() => {});
    });
    for (const channel of channels) {
      await node.handle(
        channelProtocol(channel),
        (stream, connection) => this.#onStream(channel, stream, connection),
        {
          maxInboundStreams: 1,
          maxOutboundStreams: 1,
        },
      );
    }
    this.#listening = await startListening(node, this.#options.listen);
    this.#node = node;
    this.#context = this.#createContext();
    this.#redialer = this.#createRedialer();
    this.#scheduler = this.#createScheduler();
    this.#redialer.start();
  }

  async stop(): Promise<void> {
    const node = this.#node;
    if (node === null) return;
    this.#node = null;
    this.#redialer.stop();
    this.#scheduler.stop();
    for (const link of [...this.#links.values()]) link.close("stopping");
    await node.stop();
  }

  peers(): readonly PeerInfo[] {
    return [...this.#up.values()].map((link) => link.info());
  }

  send(peer: PeerId, channel: Channel, message: Uint8Array): boolean {
    const sent = this.#up.get(peer)?.send(channel, message) ?? false;
    if (sent) {
      this.counters.framesOut += 1;
      this.counters.bytesOut += message.length;
    } else {
      this.counters.droppedOut += 1;
    }
    return sent;
  }

  broadcast(channel: Channel, message: Uint8Array, except?: PeerId): void {
    for (const peer of this.#up.keys()) if (peer !== except) this.send(peer, channel, message);
  }

  onMessage(channel: Channel, handler: (peer: PeerId, message: Uint8Array) => void): void {
    this.#handlers.addMessage(channel, handler);
  }

  onPeer(handler: (peer: PeerId, change: "up" | "down") => void): void {
    this.#handlers.addPeer(handler);
  }

  report(peer: PeerId, reason: string, severity: "minor" | "major"): void {
    this.counters.reports += 1;
    this.#log.debug("peer reported", { peer, reason, severity });
    if (!this.#scores.report(peer, severity, this.#nowMs())) return;
    this.counters.bans += 1;
    this.#log.warn("peer banned", { peer, reason });
    for (const link of [...this.#links.values()])
      if (link.peer === peer) link.close(`banned: ${reason}`);
  }

  /** Connects to a peer that is not a persistent one; resolves when it is up. */
  async dial(address: PeerAddress): Promise<void> {
    const node = this.#node;
    const context = this.#context;
    if (node === null || context === null) throw new Error("transport: not started");
    if (address.id === this.self) throw new Error("dial: refusing to dial ourselves");
    if (this.#scores.isBanned(address.id, this.#nowMs()))
      throw new Error("dial: the peer is banned");
    try {
      // Named by place only: the key proved there is checked against the name below.
      const connection = await node.dial(multiaddr(hostPortToMultiaddr(address)), {
        force: true,
        signal: AbortSignal.timeout(dialMs),
      });
      const id = libp2pPeerToId(connection.remotePeer);
      if (id !== address.id) {
        connection.abort(new Error("wrong identity"));
        throw new Error(`expected peer ${address.id}, got ${id ?? "another kind of key"}`);
      }
      const link = new PeerLink(context, {
        peer: id,
        outbound: true,
        connection,
        host: address.host,
        dialledPort: address.port,
      });
      this.#links.set(connection.id, link);
      const ready = new Promise<void>((resolve, reject) =>
        this.#dials.set(link, { resolve, reject }),
      );
      await Promise.all([ready, ...channels.map((channel) => this.#openStream(link, channel))]);
    } catch (error) {
      this.counters.dialFailures += 1;
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.debug("dial failed", {
        peer: address.id,
        host: address.host,
        port: address.port,
        reason,
      });
      throw error;
    }
  }

  async #openStream(link: PeerLink, channel: Channel): Promise<void> {
    try {
      const stream = await link.connection.newStream(channelProtocol(channel), {
        signal: AbortSignal.timeout(handshakeMs),
        maxOutboundStreams: 1,
      });
      link.attach(channel, stream);
    } catch (error) {
      link.close(`no ${channel} stream: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }

  #onConnection(connection: Connection): void {
    this.#options.clock.startTimer(handshakeMs, () => {
      const link = this.#links.get(connection.id);
      if (link === undefined) {
        if (connection.status === "open") connection.abort(new Error("no greeting"));
      } else if (link.readySinceMs === 0) {
        link.close("no greeting");
      }
    });
  }

  #onStream(channel: Channel, stream: Stream, connection: Connection): void {
    const context = this.#context;
    const peer = libp2pPeerToId(connection.remotePeer);
    // The dialling side opens the streams, so that there is exactly one of each.
    if (
      context === null ||
      this.#node === null ||
      peer === null ||
      peer === this.self ||
      connection.direction === "outbound"
    ) {
      stream.abort(new Error("unexpected stream"));
      return;
    }
    let link = this.#links.get(connection.id);
    if (link === undefined) {
      if (connection.status !== "open") return;
      link = new PeerLink(context, {
        peer,
        outbound: false,
        connection,
        host: connectionHost(connection),
        dialledPort: 0,
      });
      this.#links.set(connection.id, link);
    }
    link.attach(channel, stream);
  }

  #onReady(link: PeerLink): void {
    const existing = this.#up.get(link.peer);
    if (this.#scores.isBanned(link.peer, this.#nowMs())) return link.close("banned");
    if (existing !== undefined) {
      if (!this.#replaces(link, existing)) return link.close("duplicate connection");
      existing.close("replaced by another connection");
    } else if (!link.outbound && !this.#hasRoomFor(link.peer)) {
      return link.close("no room for another inbound peer");
    }
    link.up = true;
    this.#up.set(link.peer, link);
    this.#dials.get(link)?.resolve();
    this.#dials.delete(link);
    this.#log.debug("peer up", { ...link.info() });
    this.#handlers.peer(link.peer, "up");
    link.wakeAll();
  }

  /**
   * Both ends must keep the same one of two connections: the one dialled by the lower id. A greeting from another session
   * (the peer was restarted and our old connection is a corpse) and a second dial from the same side win over the older.
   */
  #replaces(link: PeerLink, existing: PeerLink): boolean {
    if (!equalBytes(link.session, existing.session) || link.outbound === existing.outbound)
      return true;
    return link.outbound === this.self < link.peer;
  }

  #hasRoomFor(peer: PeerId): boolean {
    if (this.#redialer.isPersistent(peer)) return true;
    let inbound = 0;
    for (const link of this.#up.values()) if (!link.outbound) inbound += 1;
    return inbound < (this.#options.inboundPeersMax ?? inboundPeersMax);
  }

  #onClosed(link: PeerLink, reason: string, refused: boolean): void {
    this.#links.delete(link.connection.id);
    this.#dials.get(link)?.reject(new Error(reason));
    this.#dials.delete(link);
    if (refused) this.#log.warn("peer refused", { peer: link.peer, reason });
    if (this.#up.get(link.peer) !== link) return;
    this.#up.delete(link.peer);
    this.#log.debug("peer down", { peer: link.peer, reason });
    this.#handlers.peer(link.peer, "down");
    this.#redialer.lost(link.peer, this.#nowMs() - link.readySinceMs);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #createContext(): LinkContext {
    const { chainId, moniker, frameBytesMax, clock } = this.#options;
    const hello = {
      version: protocolVersion,
      chainId,
      moniker,
      listenPort: this.#listening?.port ?? 0,
      session: this.#session,
    };
    const limits = { ...channelLimits };
    for (const channel of channels) {
      limits[channel] = {
        ...limits[channel],
        frameBytesMax: frameBytesMax?.[channel] ?? limits[channel].frameBytesMax,
      };
    }
    return {
      clock,
      limits,
      hello,
      helloBytes: encodeHello(hello),
      onReady: (link) => this.#onReady(link),
      onReadable: (_link, stream) => this.#scheduler.wake(stream),
      onClosed: (link, reason, refused) => this.#onClosed(link, reason, refused),
    };
  }

  #createRedialer(): Redialer {
    const others = this.#options.persistentPeers.filter((address) => address.id !== this.self);
    return new Redialer(
      {
        clock: this.#options.clock,
        dial: (address) => this.dial(address),
        isUp: (address) => this.#up.has(address.id),
        random: Math.random,
      },
      others,
    );
  }

  #createScheduler(): InboundScheduler {
    return new InboundScheduler(
      this.#options.clock,
      (stream, frame) => {
        this.counters.framesIn += 1;
        this.counters.bytesIn += frame.length;
        this.#handlers.message(stream.peer, stream.channel, frame);
      },
      (stream: ChannelStream, reason) => {
        this.counters.refusedIn += 1;
        this.report(stream.peer, reason, "major");
        stream.close(reason);
      },
    );
  }
}
