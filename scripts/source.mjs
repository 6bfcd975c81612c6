// Preload that runs TypeScript from source in this thread and, unlike preloading tsx itself on Node 20,
// in every worker thread.
import { register } from "tsx/esm/api";

register();
