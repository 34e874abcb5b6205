interface NetworkEvents {
  addEventListener?: (event: 'online', listener: () => void) => void;
  removeEventListener?: (event: 'online', listener: () => void) => void;
}

/** Calls back when a browser says that the network is there again; where nobody says so, never. Returns what stops it. */
export function onNetworkReturn(listener: () => void): () => void {
  const browser = globalThis as NetworkEvents;
  browser.addEventListener?.('online', listener);
  return () => browser.removeEventListener?.('online', listener);
}
