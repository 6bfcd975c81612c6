/** Prints what a commit costs: microseconds per key for updates and inserts on a tree of the given size (default a million keys). */
import { hash } from "node:crypto";
import { rootHash } from "./hash.ts";
import { type Root, setKey } from "./tree.ts";

const size = Number(process.argv[2] ?? 1_000_000);
const value = "v".repeat(60);

/** Keys in hashed order, as addresses and order ids come. */
function keyOf(n: number): string {
  return hash("sha256", `key ${n}`, "buffer").toString("latin1", 0, 20);
}

/** Wall and processor time: the second is what to compare when the machine has other work. */
function timed(label: string, keys: number, work: () => void): void {
  const start = performance.now();
  const cpu = process.cpuUsage();
  work();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const perKey = [(ms * 1000) / keys, (user + system) / keys].map((us) => us.toFixed(1));
  process.stdout.write(`${label}: ${perKey[0]} us/key (processor ${perKey[1]} us/key)\n`);
}

let root: Root = null;
let version = 1;
timed(`build ${size} keys`, size, () => {
  for (let n = 0; n < size; n++) root = setKey(root, keyOf(n), value, version);
});
timed(`hash ${size} keys`, size, () => rootHash(root));
let inserted = size;
for (const [kind, count, blocks] of [
  ["updates", 1_000, 20],
  ["updates", 10_000, 5],
  ["inserts", 1_000, 20],
  ["inserts", 10_000, 5],
] as const) {
  const batches = Array.from({ length: blocks }, (_, block) =>
    Array.from({ length: count }, (_, i) =>
      keyOf(kind === "updates" ? (block * 104_729 + i * 7_919) % size : inserted++),
    ).sort((a, b) => (a < b ? -1 : 1)),
  );
  let sets = 0;
  timed(`${blocks} blocks of ${count} ${kind}`, count * blocks, () => {
    for (const batch of batches) {
      version++;
      const start = performance.now();
      for (const key of batch) root = setKey(root, key, `${value}${version}`, version);
      sets += performance.now() - start;
      rootHash(root);
    }
  });
  process.stdout.write(`  of it tree ${((sets * 1000) / (count * blocks)).toFixed(1)} us/key\n`);
}
process.stdout.write(`heap ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB\n`);
