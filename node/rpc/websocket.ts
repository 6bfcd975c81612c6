/** One WebSocket: calls and subscriptions multiplexed; a client that does not keep up is closed. */
import type { WebSocket } from "ws";
import { answerJsonCall, type RpcMethods } from "./call.ts";
import type { RpcCall } from "./json-rpc.ts";
import { failure, internalError, invalidParams, parseBody, RpcError, success } from "./json-rpc.ts";
import { PING_INTERVAL_MS, SOCKET_BUFFER_BYTES_MAX, SOCKET_CALLS_MAX } from "./limits.ts";
import { Params } from "./params.ts";
import type { Subscriber, SubscriptionHub } from "./subscriptions.ts";

type AnsweredCall = RpcCall & { readonly id: string | number };

export interface SocketOptions {
  readonly methods: RpcMethods;
  readonly subscriptions: SubscriptionHub;
  readonly log: (message: string, details: Record<string, unknown>) => void;
}

export function serveSocket(socket: WebSocket, options: SocketOptions): void {
  let calls = 0;
  let alive = true;
  const send = (message: unknown): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > SOCKET_BUFFER_BYTES_MAX) {
      socket.close(1008, "client is not keeping up");
      return;
    }
    socket.send(typeof message === "string" ? message : JSON.stringify(message));
  };
  const subscriber = options.subscriptions.join((id, payload) => {
    send(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${payload}}`);
  });

  const ping = setInterval(() => {
    if (!alive) socket.terminate();
    alive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, PING_INTERVAL_MS);

  const answer = async (call: AnsweredCall): Promise<void> => {
    if (isSubscriptionCall(call.method)) {
      send(answerSubscription(subscriber, call));
      return;
    }
    if (calls >= SOCKET_CALLS_MAX) {
      send(failure(call.id, internalError(`more than ${SOCKET_CALLS_MAX} calls in progress`)));
      return;
    }
    calls++;
    send(await answerJsonCall(options.methods, call));
    calls--;
  };

  socket.on("message", (data) => {
    let parsed: ReturnType<typeof parseBody>;
    try {
      parsed = parseBody(data.toString());
    } catch (error) {
      send(failure(-1, error));
      return;
    }
    for (const call of parsed.calls) {
      if (call instanceof RpcError) send(failure(-1, call));
      else if (call.id !== null) void answer({ ...call, id: call.id });
    }
  });
  socket.on("pong", () => {
    alive = true;
  });
  socket.on("error", (error) => options.log("websocket error", { reason: error.message }));
  socket.on("close", () => {
    clearInterval(ping);
    subscriber.leave();
  });
}

function isSubscriptionCall(method: string): boolean {
  return method === "subscribe" || method === "unsubscribe" || method === "unsubscribe_all";
}

function answerSubscription(subscriber: Subscriber, call: AnsweredCall): unknown {
  try {
    if (call.method === "unsubscribe_all") subscriber.unsubscribeAll();
    else {
      const query = Params.fromJson(call.params, ["query"]).text("query");
      if (query === undefined) throw invalidParams("query: expected a query string");
      if (call.method === "subscribe") subscriber.subscribe(call.id, query);
      else subscriber.unsubscribe(query);
    }
    return success(call.id, {});
  } catch (error) {
    return failure(call.id, error);
  }
}
