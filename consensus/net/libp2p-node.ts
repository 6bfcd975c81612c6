/** The libp2p node as configured here: TCP, noise, yamux and nothing else (no discovery, no identify, no relay, no pubsub). */
import "./polyfill.ts";
import { privateKeyFromRaw } from "@libp2p/crypto/keys";
import type { Connection, Libp2p, PeerId as Libp2pPeerId } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import type { PeerId } from "../host/ports.ts";
import { withJoinedWrites } from "./libp2p-writes.ts";
import {
  channels,
  connectionsMax,
  handshakeMs,
  inboundConnectionsPerSecond,
  streamBufferBytesMax,
  streamWindowBytesMax,
} from "./limits.ts";
import type { NodeKey } from "./node-key.ts";
import { type HostPort, hostPortToMultiaddr, nodeKeyToPeerId } from "./peer-address.ts";

export interface Libp2pNodeOptions {
  readonly key: NodeKey;
  /** Null: dials only. */
  readonly listen: HostPort | null;
  /** Asked once the other end has proved its key, before any stream is accepted. */
  isRefused(peer: PeerId): boolean;
}

export async function createLibp2pNode(options: Libp2pNodeOptions): Promise<Libp2p> {
  const refused = (peer: Libp2pPeerId): boolean => {
    const id = libp2pPeerToId(peer);
    return id === null || options.isRefused(id);
  };
  return createLibp2p({
    start: false,
    privateKey: privateKeyFromRaw(options.key.privateKey),
    addresses: { listen: options.listen === null ? [] : [hostPortToMultiaddr(options.listen)] },
    transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
    connectionEncrypters: [withJoinedWrites(noise())],
    streamMuxers: [
      yamux({
        maxInboundStreams: channels.length,
        maxOutboundStreams: channels.length,
        maxEarlyStreams: channels.length,
        streamOptions: {
          maxStreamWindowSize: streamWindowBytesMax,
          maxReadBufferLength: streamBufferBytesMax,
        },
      }),
    ],
    connectionManager: {
      maxConnections: connectionsMax,
      maxIncomingPendingConnections: connectionsMax,
      inboundConnectionThreshold: inboundConnectionsPerSecond,
      inboundUpgradeTimeout: handshakeMs,
      inboundStreamProtocolNegotiationTimeout: handshakeMs,
      outboundStreamProtocolNegotiationTimeout: handshakeMs,
      // Redialling is ours: libp2p gives up after a few attempts.
      reconnectRetries: 0,
    },
    connectionGater: {
      // Private and loopback addresses are where local networks live.
      denyDialMultiaddr: () => false,
      denyInboundEncryptedConnection: (peer) => refused(peer),
    },
    // Our own keep-alive watches every link; a second pinger would need a protocol more.
    connectionMonitor: { enabled: false },
  });
}

/** Our name for an authenticated libp2p peer; null when its key is not ed25519. */
export function libp2pPeerToId(peer: Libp2pPeerId): PeerId | null {
  const key = peer.publicKey;
  return key?.type === "Ed25519" ? nodeKeyToPeerId(key.raw) : null;
}

export function connectionHost(connection: Connection): string {
  const parts = connection.remoteAddr.toString().split("/");
  return parts[2] ?? "";
}

/** Starts the node; where it listens, with the port the system chose. Throws one sentence when it cannot. */
export async function startListening(
  node: Libp2p,
  listen: HostPort | null,
): Promise<HostPort | null> {
  try {
    await node.start();
  } catch (error) {
    await node.stop();
    const text = error instanceof Error ? error.message : String(error);
    const reason = /EADDRINUSE|EADDRNOTAVAIL|EACCES/.exec(text)?.[0] ?? "";
    const meaning = listenErrors[reason];
    if (listen === null || meaning === undefined) throw error;
    throw new Error(`cannot listen for peers on ${listen.host}:${listen.port}: ${meaning}`);
  }
  if (listen === null) return null;
  for (const address of node.getMultiaddrs()) {
    const port = Number(/\/tcp\/(\d+)/.exec(address.toString())?.[1] ?? 0);
    if (port > 0) return { host: listen.host, port };
  }
  return listen;
}

const listenErrors: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process uses that port",
  EADDRNOTAVAIL: "this machine does not have that address",
  EACCES: "this user may not open that port",
};
