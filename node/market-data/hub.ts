/**
 * Who follows what. Each topic's text comes once and goes to all its followers; a follower that does not keep up gets none until it has caught up,
 * and then a snapshot. On the main thread, so everything here is bounded by `limits.ts`.
 */
import { SNAPSHOTS_IN_FLIGHT_MAX, SUBSCRIPTIONS_PER_CLIENT_MAX } from "./limits.ts";
import type { Published, SnapshotTail } from "./reader.ts";
import { StreamRefusal, type Topic, topicJson } from "./topics.ts";

/** Where topics come from: the reader's thread, or state itself. */
export interface TopicSource {
  /** Begins to publish the topic, and shows where it stands. Rejects with StreamRefusal. */
  follow(topic: Topic): Promise<SnapshotTail>;
  unfollow(topic: Topic): void;
}

/** One client, as the hub needs it. */
export interface Follower {
  /** False: it is behind, and nothing was sent. */
  send(text: string): boolean;
  /** For what it asked for itself: sent however far it is behind, within the socket's own bound. */
  answer(text: string): void;
  isBehind(): boolean;
}

/** "waiting": for its snapshot. "behind": updates are left out until it has caught up. */
type State = "waiting" | "live" | "behind";

interface Subscription {
  readonly topic: Topic;
  state: State;
  /** Height of the snapshot: what is not above it is in it. */
  height: number;
}

export interface Membership {
  /** Throws StreamRefusal. `id` is JSON, or empty; it comes back with the snapshot or the refusal. */
  subscribe(topic: Topic, id: string): void;
  /** Throws StreamRefusal. */
  unsubscribe(key: string): void;
  leave(): void;
}

interface Member {
  readonly follower: Follower;
  readonly subscriptions: Map<string, Subscription>;
  snapshots: number;
}

export class StreamHub {
  #source: TopicSource | null = null;
  /** By key of topic. */
  readonly #topics = new Map<string, { readonly topic: Topic; readonly members: Set<Member> }>();
  readonly #behind = new Set<Member>();

  /** Null: nothing can be followed for now. What was followed is forgotten; sockets are the caller's to close. */
  setSource(source: TopicSource | null): void {
    this.#source = source;
    this.#topics.clear();
    this.#behind.clear();
  }

  get topics(): number {
    return this.#topics.size;
  }

  isFollowed(key: string): boolean {
    return this.#topics.has(key);
  }

  join(follower: Follower): Membership {
    const member: Member = { follower, subscriptions: new Map(), snapshots: 0 };
    return {
      subscribe: (topic, id) => this.#subscribe(member, topic, id),
      unsubscribe: (key) => {
        if (!member.subscriptions.has(key))
          throw new StreamRefusal("not-subscribed", "this is not followed");
        this.#drop(member, key);
      },
      leave: () => {
        for (const key of [...member.subscriptions.keys()]) this.#drop(member, key);
        this.#behind.delete(member);
      },
    };
  }

  publish({ ended, height, texts }: Published): void {
    for (const [key, text] of texts) {
      for (const member of this.#topics.get(key)?.members ?? []) {
        const subscription = member.subscriptions.get(key);
        if (subscription?.state !== "live" || height <= subscription.height) continue;
        if (member.follower.send(text)) continue;
        subscription.state = "behind";
        this.#behind.add(member);
      }
    }
    for (const key of ended) this.#end(key, height);
    this.catchUp();
  }

  /** Snapshots for those that have read what they were sent. */
  catchUp(): void {
    for (const member of this.#behind) {
      if (member.follower.isBehind()) continue;
      let left = 0;
      for (const subscription of member.subscriptions.values()) {
        if (subscription.state !== "behind") continue;
        if (member.snapshots >= SNAPSHOTS_IN_FLIGHT_MAX) {
          left += 1;
          continue;
        }
        subscription.state = "waiting";
        void this.#show(member, subscription, ',"reason":"slow"');
      }
      if (left === 0) this.#behind.delete(member);
    }
  }

  #subscribe(member: Member, topic: Topic, id: string): void {
    const { subscriptions } = member;
    if (this.#source === null)
      throw new StreamRefusal("busy", "market data is starting; try again");
    if (subscriptions.has(topic.key))
      throw new StreamRefusal("already-subscribed", "this is followed already");
    if (subscriptions.size >= SUBSCRIPTIONS_PER_CLIENT_MAX)
      throw new StreamRefusal(
        "too-many-subscriptions",
        `at most ${SUBSCRIPTIONS_PER_CLIENT_MAX} per connection`,
      );
    if (member.snapshots >= SNAPSHOTS_IN_FLIGHT_MAX)
      throw new StreamRefusal(
        "busy",
        `at most ${SNAPSHOTS_IN_FLIGHT_MAX} snapshots on their way; wait for one`,
      );
    const known = this.#topics.get(topic.key);
    if (known === undefined) this.#topics.set(topic.key, { topic, members: new Set([member]) });
    else known.members.add(member);
    const subscription: Subscription = { topic, state: "waiting", height: 0 };
    subscriptions.set(topic.key, subscription);
    void this.#show(member, subscription, id === "" ? "" : `,"id":${id}`);
  }

  /** Asks for a snapshot and sends it; from then on updates go to the member. `head` is what its message begins with. */
  async #show(member: Member, subscription: Subscription, head: string): Promise<void> {
    const { topic } = subscription;
    const isWanted = (): boolean => member.subscriptions.get(topic.key) === subscription;
    member.snapshots += 1;
    try {
      const source = this.#source;
      const snapshot = await source?.follow(topic);
      // All who asked may have left before it was begun: that it ends was said too early then.
      if (!this.#topics.has(topic.key)) source?.unfollow(topic);
      if (snapshot === undefined || !isWanted()) return;
      subscription.height = snapshot.height;
      subscription.state = "live";
      member.follower.answer(`{"type":"snapshot"${head}${snapshot.tail}`);
    } catch (error) {
      if (!isWanted()) return;
      this.#drop(member, topic.key);
      if (error instanceof StreamRefusal) member.follower.answer(refusalText(error, head));
    } finally {
      member.snapshots -= 1;
    }
  }

  #drop(member: Member, key: string): void {
    member.subscriptions.delete(key);
    const followed = this.#topics.get(key);
    if (followed === undefined) return;
    followed.members.delete(member);
    if (followed.members.size > 0) return;
    this.#topics.delete(key);
    this.#source?.unfollow(followed.topic);
  }

  #end(key: string, height: number): void {
    const followed = this.#topics.get(key);
    if (followed === undefined) return;
    this.#topics.delete(key);
    const names = topicJson(followed.topic);
    const text = `{"type":"ended",${names},"height":${height},"reason":"market-removed"}`;
    for (const member of followed.members) {
      member.subscriptions.delete(key);
      member.follower.answer(text);
    }
  }
}

/** `head`: `,"id":…` or nothing. */
export function refusalText({ code, message }: StreamRefusal, head: string): string {
  return `{"type":"error"${head},"code":"${code}","message":${JSON.stringify(message)}}`;
}
