/** Where the validators of a tour get their prices: an HTTP server on loopback whose answer the tour chooses. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface TourPrices {
  readonly url: string;
  /** By symbol, decimal text. */
  set(symbol: string, price: string): void;
  stop(): Promise<void>;
}

export async function startPrices(first: Readonly<Record<string, string>>): Promise<TourPrices> {
  const prices = new Map(Object.entries(first));
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(Object.fromEntries(prices)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    set: (symbol, price) => void prices.set(symbol, price),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
