/** An exchange on loopback that answers what it is told to: whole, in bad pieces, too late or not at all. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

export interface VenueServer {
  readonly restUrl: string;
  readonly socketUrl: string;
  /** Paths asked for. */
  readonly asked: string[];
  /** What clients sent over sockets. */
  readonly received: string[];
  /** Of REST; a status above 299 goes out with the body. `delayMs` before it begins. */
  rest: { status: number; body: string | Uint8Array; delayMs: number };
  /** Sent to every client once it has said anything. */
  greeting: readonly (string | Uint8Array)[];
  readonly clients: ReadonlySet<WebSocket>;
  send(message: string | Uint8Array): void;
  /** Connections are made and ended, as when a venue restarts. */
  drop(): void;
  close(): Promise<void>;
}

export async function startVenueServer(): Promise<VenueServer> {
  const asked: string[] = [];
  const received: string[] = [];
  const http: Server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const { body, delayMs, status } = server.rest;
    setTimeout(() => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body);
    }, delayMs);
  });
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket) => {
    socket.on("message", (data) => {
      const text = data.toString();
      received.push(text);
      for (const message of server.greeting) socket.send(message);
    });
    socket.on("error", () => undefined);
  });
  http.listen(0, "127.0.0.1");
  await new Promise((resolve) => http.once("listening", resolve));
  const { port } = http.address() as AddressInfo;
  const server: VenueServer = {
    restUrl: `http://127.0.0.1:${port}`,
    socketUrl: `ws://127.0.0.1:${port}`,
    asked,
    received,
    rest: { status: 200, body: "", delayMs: 0 },
    greeting: [],
    clients: sockets.clients,
    send(message) {
      for (const client of sockets.clients) client.send(message);
    },
    drop() {
      for (const client of sockets.clients) client.terminate();
    },
    async close() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}
