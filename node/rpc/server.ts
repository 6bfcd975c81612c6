/**
 * CometBFT's RPC over HTTP: POST / with JSON-RPC, GET /<method>?params, and the same methods with subscriptions on /websocket.
 * The methods themselves are plain functions in `methods/`.
 */
import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import fastify from "fastify";
import { type WebSocket, WebSocketServer } from "ws";
import { answerCall, answerJsonCall, type RpcMethods } from "./call.ts";
import { failure, internalError, invalidRequest, parseBody, RpcError } from "./json-rpc.ts";
import { HEADERS_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from "./limits.ts";
import { Params } from "./params.ts";
import type { SubscriptionHub } from "./subscriptions.ts";
import { serveSocket } from "./websocket.ts";

export interface RpcServerOptions {
  readonly host: string;
  readonly port: number;
  readonly methods: RpcMethods;
  readonly subscriptions: SubscriptionHub;
  readonly corsOrigins: readonly string[];
  readonly bodyBytesMax: number;
  readonly connectionsMax: number;
  /** Another WebSocket endpoint on the same port. */
  readonly stream?: StreamEndpoint;
  readonly log: (message: string, details: Record<string, unknown>) => void;
}

export interface StreamEndpoint {
  /** "/stream" */
  readonly path: string;
  readonly messageBytesMax: number;
  serve(socket: WebSocket): void;
}

export interface RpcServer {
  /** The port it listens on. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Rejects with a plain sentence when the port is taken. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const server = fastify({
    bodyLimit: options.bodyBytesMax,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 100 },
  });
  server.server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.server.maxConnections = options.connectionsMax;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) =>
    done(null, body),
  );
  addCors(server, options.corsOrigins);
  server.setErrorHandler<FastifyError>((error, _request, reply) => {
    const status = error.statusCode ?? 500;
    const isLarge = status === 413;
    const problem = isLarge
      ? invalidRequest(
          `the request is larger than ${options.bodyBytesMax} bytes (rpc.max_body_bytes)`,
        )
      : status < 500
        ? invalidRequest(error.message)
        : internalError(error.message);
    return send(reply, status, JSON.stringify(failure(-1, problem)));
  });

  server.post("/", async (request, reply) => {
    const answer = await answerBody(options.methods, (request.body as string | undefined) ?? "");
    return send(reply, answer.status, answer.body);
  });
  server.get("/", (_request, reply) =>
    reply.type("text/plain").send(`${Object.keys(options.methods).sort(compareText).join("\n")}\n`),
  );
  server.get<{ Params: { method: string } }>("/:method", async (request, reply) => {
    const query = new URL(request.url, "http://localhost").searchParams;
    const answer = await answerCall(
      options.methods,
      request.params.method,
      () => Params.fromUrl(query),
      -1,
    );
    return send(reply, "error" in answer ? 500 : 200, JSON.stringify(answer));
  });

  const sockets = new WebSocketServer({ noServer: true, maxPayload: options.bodyBytesMax });
  const { stream } = options;
  const streams = new WebSocketServer({ noServer: true, maxPayload: stream?.messageBytesMax ?? 0 });
  server.server.on("upgrade", (request, socket, head) => {
    // Not by URL: its parser throws on targets like "//", and nothing catches what an event handler throws.
    const path = request.url?.split("?", 1)[0];
    if (path === "/websocket")
      sockets.handleUpgrade(request, socket, head, (webSocket) => serveSocket(webSocket, options));
    else if (stream !== undefined && path === stream.path)
      streams.handleUpgrade(request, socket, head, (webSocket) => stream.serve(webSocket));
    else socket.destroy();
  });

  try {
    await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new Error(
        `port ${options.port} on ${options.host} is in use; stop the other program or choose another rpc.laddr`,
      );
    }
    throw error;
  }
  const address = server.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    async stop() {
      for (const { clients } of [sockets, streams])
        for (const client of clients) client.terminate();
      sockets.close();
      streams.close();
      await server.close();
    },
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function answerBody(
  methods: RpcMethods,
  text: string,
): Promise<{ status: number; body: string }> {
  let parsed: ReturnType<typeof parseBody>;
  try {
    parsed = parseBody(text);
  } catch (error) {
    return { status: 500, body: JSON.stringify(failure(-1, error)) };
  }
  const answers = await Promise.all(
    parsed.calls.map((call) => {
      if (call instanceof RpcError) return failure(-1, call);
      const { id } = call;
      return id === null ? null : answerJsonCall(methods, { ...call, id });
    }),
  );
  const given = answers.filter((answer) => answer !== null);
  if (given.length === 0) return { status: 200, body: "" };
  return { status: 200, body: JSON.stringify(parsed.batch ? given : given[0]) };
}

function send(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type("application/json").send(body);
}

function addCors(server: FastifyInstance, origins: readonly string[]): void {
  const any = origins.includes("*");
  server.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined || !(any || origins.includes(origin))) return;
    reply.header("access-control-allow-origin", any ? "*" : origin);
    if (!any) reply.header("vary", "origin");
  });
  server.options("/*", (_request, reply) =>
    reply
      .header("access-control-allow-methods", "HEAD, GET, POST")
      .header(
        "access-control-allow-headers",
        "Origin, Accept, Content-Type, X-Requested-With, X-Server-Time",
      )
      .code(204)
      .send(),
  );
}
