import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bridge, type BridgeDeps, startBridge } from '../../src/bridge/bridge.ts';
import { type BridgeConfig, readBridgeConfig } from '../../src/bridge/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { copyDatabaseTemplate } from './database-template.ts';

/** A bridge in this process on a free loopback port, with a data folder of its own. */
export interface BridgeFixture {
  readonly bridge: Bridge;
  readonly config: BridgeConfig;
  /** Closes it and removes its data folder. */
  end(): Promise<void>;
}

export async function bridgeFixture({
  env = {},
  ...deps
}: { env?: Record<string, string> } & Partial<BridgeDeps> = {}): Promise<BridgeFixture> {
  const dataDir = await dataFolderWithDatabase();
  const config = readBridgeConfig({ PORT: '0', QUALINET_DATA_DIR: dataDir, ...env });
  const bridge = await startBridge(config, { clock: systemClock, log: silentLog, ...deps });
  return {
    bridge,
    config,
    async end() {
      await bridge.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A fresh data folder that holds an empty database already, so that starting on it takes no seconds. */
export async function dataFolderWithDatabase(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'qualinet-bridge-test-'));
  await copyDatabaseTemplate(join(dataDir, 'database'));
  return dataDir;
}
