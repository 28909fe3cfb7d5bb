import { type BridgeProcess, startBridgeProcess } from './system.ts';
import { startTlsFront } from './tls-front.ts';

/** A bridge process that is reached over TLS only. */
export interface BridgeBehindTls extends BridgeProcess {
  /** `https://localhost:<port>`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it with this key and certificate. */
export async function startBridgeBehindTls(
  dataDir: string,
  server: { key: string; cert: string },
): Promise<BridgeBehindTls> {
  const front = await startTlsFront(server);
  const bridge = await startBridgeProcess(dataDir, { PUBLIC_URL: front.url });
  front.target = Number(new URL(bridge.url).port);
  return {
    ...bridge,
    url: front.url,
    async close() {
      await bridge.program.stop();
      await front.close();
    },
  };
}
