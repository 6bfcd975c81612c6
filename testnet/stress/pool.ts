/** Rows of the plan shared out over processes: each asks for the next one when it is done. */
import { type ChildProcess, fork } from "node:child_process";
import { type Job, type JobResult, type Plan, runJob, tapesOf } from "./plan.ts";

/** Arguments with which this program is a worker. */
export const WORKER: readonly string[] = ["--part", "worker"];

interface Answer {
  readonly result: JobResult;
}

/** In the order of `jobs`. Throws when a process ends before it has answered. */
export function runJobs(
  jobs: readonly Job[],
  processes: number,
  onDone: (job: Job, result: JobResult) => void,
): Promise<JobResult[]> {
  const results: JobResult[] = [];
  const [entry = "", ...args] = process.argv.slice(1);
  let [next, done] = [0, 0];
  return new Promise((resolve, reject) => {
    const children: ChildProcess[] = [];
    const give = (child: ChildProcess): void => {
      const at = next++;
      const job = jobs[at];
      if (job === undefined) {
        child.disconnect();
        if (done === jobs.length) resolve(results);
        return;
      }
      child.once("message", (answer: Answer) => {
        results[at] = answer.result;
        done += 1;
        onDone(job, answer.result);
        give(child);
      });
      child.send(job);
    };
    for (let i = 0; i < Math.min(processes, jobs.length); i++) {
      const child = fork(entry, [...args, ...WORKER]);
      children.push(child);
      child.on("error", reject);
      child.on("exit", (code) => {
        if (code === 0) return;
        for (const other of children) other.kill();
        reject(new Error(`a process of the laboratory ended with ${code}`));
      });
      give(child);
    }
    if (jobs.length === 0) resolve(results);
  });
}

/** A worker: answers jobs until the other side hangs up. */
export function serveJobs(plan: Plan): void {
  const tapes = tapesOf(plan);
  process.on("message", (job: Job) => {
    const tape = tapes[job.tape];
    if (tape === undefined) throw new Error(`no tape ${job.tape}`);
    void runJob(plan, tape, job).then((result) => {
      process.send?.({ result } satisfies Answer);
    });
  });
}
