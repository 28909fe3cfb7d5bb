import type { BridgeClient } from './bridge-client.ts';

/** The same client, which tells `onAnswer` of every request that was answered. */
export function watchedClient(client: BridgeClient, onAnswer: () => void): BridgeClient {
  return {
    ...client,
    async call(name, call) {
      const body = await client.call(name, call);
      onAnswer();
      return body;
    },
  };
}
