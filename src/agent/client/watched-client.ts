import { CredentialsRejectedError } from '../../lib/errors.ts';
import type { BridgeClient } from './bridge-client.ts';

/** The same client, which tells of each request that was answered, and of each answer that ends the credentials. */
export function watchedClient(
  client: BridgeClient,
  {
    onAnswer = () => {},
    onRejected = () => {},
  }: { onAnswer?: () => void; onRejected?: (error: CredentialsRejectedError) => void },
): BridgeClient {
  return {
    ...client,
    async call(name, call) {
      try {
        const body = await client.call(name, call);
        onAnswer();
        return body;
      } catch (error) {
        if (error instanceof CredentialsRejectedError) onRejected(error);
        throw error;
      }
    },
  };
}
