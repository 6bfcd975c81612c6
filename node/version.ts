/** Keel's release, and the CometBFT release whose RPC this node speaks: clients choose their dialect by it. */
export const KEEL_VERSION = "0.1.0";
export const COMET_VERSION = "0.38.17";
