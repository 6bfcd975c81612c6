/**
 * One run: chaos first, in which only safety is asked for, then a healed world in which every honest node must decide more
 * heights within a bound. Byzantine actors never stop.
 */

import { createHash } from "node:crypto";
import { honestBehaviour } from "./behaviour.ts";
import { createChain } from "./chain.ts";
import { createCheckers, SimulationFailure } from "./checkers.ts";
import type { Message } from "./messages.ts";
import { createNetwork } from "./network.ts";
import { createNode, type Node, type Surroundings } from "./node.ts";
import { createRandom } from "./prng.ts";
import { drawScenario, HEALED, type Scenario } from "./scenario.ts";
import { createWorld } from "./world.ts";

/** Heights every honest node must decide after the world has healed, and the virtual time it has for them. */
const HEIGHTS_AFTER_HEAL = 3;
const HEAL_BOUND_MS = 60_000;

export interface Outcome {
  readonly seed: number;
  /** null when everything held. */
  readonly failure: string | null;
  /** Over every input of every node, in order. */
  readonly historyHash: string;
  readonly heights: number;
  readonly events: number;
  /** How often each kind of line occurs in the history; shows what a run really went through. */
  readonly counts: ReadonlyMap<string, number>;
  readonly actors: readonly string[];
}

export function runSeed(seed: number): Outcome {
  const random = createRandom(seed);
  return runScenario(seed, drawScenario(seed, random), (line) => line);
}

/** `watch` sees every line of the history. */
export function runScenario(
  seed: number,
  scenario: Scenario,
  watch: (line: string) => void,
): Outcome {
  const random = createRandom(seed ^ 0x2545f491);
  const world = createWorld();
  const hash = createHash("sha256");
  const counts = new Map<string, number>();
  const chain = createChain({ genesis: scenario.validators, updatesAt: scenario.updatesAt });
  const honestNames = new Set(
    scenario.validators
      .filter(({ behaviour }) => behaviour === honestBehaviour)
      .map((v) => v.address),
  );
  const checkers = createCheckers({
    setAt: chain.setAt,
    isHonest: (address) => honestNames.has(address),
  });
  const nodes: Node[] = [];
  const network = createNetwork<Message>({
    world,
    random,
    conditions: scenario.chaos,
    deliver: (to, message) => nodes[to]?.deliver(message),
  });
  const record = (line: string): void => {
    hash.update(line);
    for (const feature of featuresOf(line)) counts.set(feature, (counts.get(feature) ?? 0) + 1);
    watch(line);
  };
  const surroundings: Surroundings = { world, random, network, chain, checkers, record };
  const size = scenario.validators.length + (scenario.observer ? 1 : 0);
  for (let index = 0; index < size; index += 1) {
    const validator = scenario.validators[index];
    const behaviour = validator?.behaviour ?? honestBehaviour;
    nodes.push(
      createNode(surroundings, {
        name: validator?.address ?? "observer",
        address: validator?.address ?? null,
        index,
        peers: Array.from({ length: size }, (_, peer) => peer).filter((peer) => peer !== index),
        behaviour,
        honest: behaviour === honestBehaviour,
      }),
    );
  }
  const honest = nodes.filter(
    (_, index) => (scenario.validators[index]?.behaviour ?? honestBehaviour) === honestBehaviour,
  );
  const heightMax = (): number =>
    honest.reduce((max, node) => Math.max(max, checkers.heightOf(node.name)), 0);

  let failure: string | null = null;
  try {
    for (const node of nodes) node.start();
    plague(surroundings, scenario, { honest, size });
    world.run({ untilMs: scenario.chaosMs });
    network.mend();
    network.setConditions(HEALED);
    for (const node of honest) node.restart();
    const goal = heightMax() + HEIGHTS_AFTER_HEAL;
    const untilMs = world.nowMs() + HEAL_BOUND_MS;
    const reached = world.run({
      untilMs,
      done: () => honest.every((node) => checkers.heightOf(node.name) >= goal),
    });
    if (!reached) {
      const heights = honest
        .map((node) => `${node.name} ${checkers.heightOf(node.name)}`)
        .join(", ");
      throw new SimulationFailure(
        `liveness: height ${goal} not reached within ${HEAL_BOUND_MS} ms of healing: ${heights}`,
      );
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    failure = error instanceof SimulationFailure ? error.message : (error.stack ?? error.message);
  }
  const actors = scenario.validators.map(
    ({ address, power, behaviour }) => `${address}=${power} ${behaviour.name}`,
  );
  return {
    seed,
    failure,
    historyHash: hash.digest("hex"),
    heights: heightMax(),
    events: world.events(),
    counts,
    actors,
  };
}

/** The chaos: cuts one way or both ways, jams, mends, crashes and restarts of honest nodes. */
function plague(
  { world, random, network }: Surroundings,
  scenario: Scenario,
  { honest, size }: { readonly honest: readonly Node[]; readonly size: number },
): void {
  const everybody = Array.from({ length: size }, (_, index) => index);
  const trouble = (): void => {
    if (world.nowMs() >= scenario.chaosMs) return;
    world.after(random.between(1, 2 * scenario.troubleEveryMs), trouble);
    const kind = random.between(0, 6);
    if (kind <= 1) {
      const side = random.half(everybody);
      const other = everybody.filter((index) => !side.includes(index));
      network.cut(side, other);
      if (kind === 0) network.cut(other, side);
    } else if (kind === 2) {
      network.mend();
    } else if (kind === 3) {
      // Locks without decisions, proposals without votes: what the locking rules are for.
      const jammed = random.pick(["proposal", "prevote", "precommit", "precommit"]);
      network.jam(
        (message) => (message.type === "vote" ? message.vote.kind : message.type) === jammed,
      );
    } else {
      const victim = random.pick(honest);
      if (!victim.isUp()) return;
      victim.crash();
      world.after(random.between(1, 1500), () => victim.restart());
    }
  };
  world.after(random.between(1, 2 * scenario.troubleEveryMs), trouble);
}

/** What makes a run worth having: later rounds, proofs of lock, certificates, restarts. */
function featuresOf(line: string): readonly string[] {
  const [, , word = "", , inputs] = line.split(" ");
  if (word.startsWith("proposal/")) {
    const polRound = word.split("/")[4];
    return polRound === "-1" ? ["proposal"] : ["proposal with proof of lock"];
  }
  if (word.startsWith("pre")) {
    const [, , round, block] = word.split("/");
    const kind = block === "nil" ? "vote for nil" : "vote for a block";
    return round === "0" ? [kind] : [kind, "vote of a later round"];
  }
  if (word === "restarts" && inputs !== "0") return ["restarts with a log"];
  return [word.split("/")[0] ?? ""];
}
