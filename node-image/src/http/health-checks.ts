/** A proxy that checks the node asks at least this often (milliseconds). */
const MAX_INTERVAL_MS = 3_000;

/** After so many refusals a proxy sends no more requests (`fall` in proxy/haproxy.cfg). */
const REFUSALS = 2;

/**
 * The health checks of proxies: requests for the node's page that no client has sent. Only a proxy that knows that the node stops sends it no more
 * requests. If the node stopped first, it would cut connections on which requests are on their way, and a POST cannot be repeated.
 */
export function healthChecks() {
  /** When each address asked last. */
  const askedAt = new Map<string, number>();
  /** How many refusals each proxy still needs; null: the node takes requests. */
  let needed: Map<string, number> | null = null;

  const recent = (): string[] => {
    const since = performance.now() - MAX_INTERVAL_MS;
    for (const [address, at] of askedAt) if (at < since) askedAt.delete(address);
    return [...askedAt.keys()];
  };

  return {
    /** Notes that an address asked. Returns the answer: whether the node takes requests. */
    ask: (address: string): boolean => {
      recent();
      askedAt.set(address, performance.now());
      if (needed === null) return true;
      const left = (needed.get(address) ?? 0) - 1;
      if (left > 0) needed.set(address, left);
      else needed.delete(address);
      return false;
    },
    /**
     * Refuses from now on. Resolves when each proxy that checks the node knows it, or after at most `timeoutMs` (milliseconds).
     * Returns whether there are such proxies.
     */
    refuse: async (timeoutMs: number): Promise<boolean> => {
      const proxies = recent();
      needed ??= new Map(proxies.map(address => [address, REFUSALS]));
      const deadline = performance.now() + Math.min(timeoutMs, MAX_INTERVAL_MS);
      while (needed.size > 0 && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 10));
      return proxies.length > 0;
    },
  };
}
