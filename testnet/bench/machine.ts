/** What a figure depends on besides the code: commit, machine, other work on it; and the processor time of a process. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";

export interface Surroundings {
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** One-minute load average when the bench began; above the number of cores, wall-clock figures are pessimistic. */
  readonly load: number;
  readonly date: string;
}

export function surroundings(): Surroundings {
  const processors = cpus();
  return {
    commit: commit(),
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    load: loadavg()[0] ?? 0,
    date: new Date().toISOString().slice(0, 10),
  };
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const dirty = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : " + changes";
    return git("rev-parse", "--short", "HEAD") + dirty;
  } catch {
    // A copy without its history is measured all the same.
    return "unknown";
  }
}

const TICKS_PER_SECOND = 100;

/** Processor seconds a process has used, all threads; NaN where the system does not tell. */
export function processSeconds(pid: number): number {
  return secondsIn(`/proc/${pid}/stat`);
}

/** Of its main thread alone, which is what bounds a node's rate where there are cores to spare. */
export function mainThreadSeconds(pid: number): number {
  return secondsIn(`/proc/${pid}/task/${pid}/stat`);
}

function secondsIn(file: string): number {
  try {
    const stat = readFileSync(file, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

export function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
