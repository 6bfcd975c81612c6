/** The one import of prom-client. */
export { monitorEventLoopDelay } from "node:perf_hooks";
export { Counter, Gauge, Histogram, Registry } from "prom-client";
