/** Market data of one node: the reader's thread and its feed, started again when they fail, and what serves them. */
import { join } from "node:path";
import type { Application, BlockStore } from "@keel/consensus/host/ports";
import { createAddresses } from "@keel/modules/kit/addresses";
import type { CometConfig } from "../config/schema.ts";
import type { Logger } from "../logging/logger.ts";
import type { RpcMethods } from "../rpc/call.ts";
import type { StreamEndpoint } from "../rpc/server.ts";
import type { ApplicationStore } from "../store/level/application-store.ts";
import { openLevelDatabase } from "../store/level/level-database.ts";
import type { LevelStateStore } from "../store/level/state-store.ts";
import { FeedGap, MarketFeed } from "./feed.ts";
import { HistoryReader } from "./history-reader.ts";
import { StreamHub, type TopicSource } from "./hub.ts";
import { RESTART_MAX_MS, RESTART_MIN_MS } from "./limits.ts";
import { Marks } from "./marks.ts";
import { historyMethods } from "./methods.ts";
import type { AccountSeed, Published } from "./reader.ts";
import { StreamSockets } from "./socket.ts";
import { ReaderThread } from "./thread.ts";
import type { Topic } from "./topics.ts";

export interface MarketDataSources {
  readonly app: Pick<Application, "query">;
  readonly addressPrefix: string;
  readonly application: ApplicationStore;
  readonly states: LevelStateStore;
  readonly blocks: BlockStore;
  readonly log: Logger;
}

export interface MarketData {
  readonly stream: StreamEndpoint;
  readonly methods: RpcMethods;
  /** A block is committed. Cheap: it is not waited for. */
  committed(height: number, timeMs: number): void;
  /** Last block that was read. */
  height(): number;
  clients(): number;
  readonly stop: () => Promise<void>;
}

/** `data` is the node's data directory. */
export async function openMarketData(
  data: string,
  sources: MarketDataSources,
  options: CometConfig["market_data"],
): Promise<MarketData> {
  const { addressPrefix, app, log } = sources;
  const directory = join(data, "market.db");
  const retention = {
    printsMs: options.history,
    periods: options.candles,
    goneMs: options.gone_history,
    goneMarkets: options.gone_markets,
  };
  const addresses = createAddresses(addressPrefix);
  const database = await openLevelDatabase(directory, "shared");
  const history = new HistoryReader(database);
  const hub = new StreamHub();
  let now = { height: 0, timeMs: 0 };
  const sockets = new StreamSockets({
    hub,
    addresses,
    clientsMax: options.max_stream_clients,
    now: () => now,
    log: (message, fields) => log.debug(message, fields),
  });
  const marks = new Marks(app, (height, texts) => {
    hub.publish({ height, timeMs: now.timeMs, texts, ended: [] });
  });
  let stopped = false;
  let pauseMs = RESTART_MIN_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: { readonly thread: ReaderThread; readonly feed: MarketFeed } | null = null;

  function published(block: Published): void {
    now = { height: block.height, timeMs: block.timeMs };
    hub.publish(block);
    pauseMs = RESTART_MIN_MS;
  }

  function start(): void {
    let ended = false;
    const end = (error: Error): void => {
      if (ended) return;
      ended = true;
      void restart(error);
    };
    const thread = new ReaderThread({ directory, retention, addressPrefix }, end);
    const feed = new MarketFeed(sources, thread, {
      onLoaded: () => hub.setSource(sourceOf(thread)),
      onPublished: published,
    });
    running = { thread, feed };
    feed.run().catch(end);
  }

  /** Streams end with their reader: whoever follows comes back and gets snapshots. */
  async function restart(error: Error): Promise<void> {
    const failed = running;
    running = null;
    hub.setSource(null);
    sockets.closeAll("reader-failed");
    failed?.feed.stop();
    await failed?.thread.close();
    if (stopped) return;
    const isGap = error instanceof FeedGap;
    log.error("market data stopped", { reason: error.message, again_in_ms: isGap ? 0 : pauseMs });
    timer = setTimeout(start, isGap ? 0 : pauseMs);
    timer.unref();
    pauseMs = Math.min(pauseMs * 2, RESTART_MAX_MS);
  }

  function sourceOf(thread: ReaderThread): TopicSource {
    return {
      async follow(topic) {
        if (topic.channel === "marks") return await marks.follow(topic);
        const seed = topic.channel === "positions" ? await accountRecord(topic) : null;
        return await thread.follow(topic, seed);
      },
      unfollow(topic) {
        if (topic.channel === "marks") marks.unfollow(topic.key);
        else thread.unfollow(topic.key);
      },
    };
  }

  /** The account as the newest state has it: the reader keeps no account that nobody follows. */
  async function accountRecord(
    topic: Extract<Topic, { readonly account: string }>,
  ): Promise<AccountSeed> {
    const [owner = "", number = "0"] = topic.account.split("/");
    const key = Buffer.alloc(25);
    key[0] = 1;
    key.set(addresses.parse(owner), 1);
    key.writeUInt32BE(Number(number), 21);
    const answer = await app.query({
      path: "/store/margin/key",
      data: new Uint8Array(key),
      height: 0,
      prove: false,
    });
    if (answer.code !== 0) throw new Error(`account record: ${answer.log}`);
    const { height, value } = answer;
    return { height, value: value.length === 0 ? null : value };
  }

  start();
  return {
    stream: sockets,
    methods: historyMethods({ history, app, addresses }),
    committed(height, timeMs) {
      running?.feed.committed(height);
      marks.committed(height, timeMs);
    },
    height: () => now.height,
    clients: () => sockets.clients,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      sockets.stop();
      marks.close();
      running?.feed.stop();
      await running?.thread.close();
      await database.close();
    },
  };
}
