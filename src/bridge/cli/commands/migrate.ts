import { resolve } from 'node:path';
import { z } from 'zod';
import { defineCommand } from '../../../command-line/command.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { dataFolder, readBridgeConfig } from '../../config.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { openDatabase } from '../../embedded/database.ts';

/** `qualinet-bridge migrate`: the embedded database brought up to date and closed again. */
export const migrate = defineCommand({
  options: z.object({ args: z.tuple([]), dataDir: z.string().min(1).optional() }),
  async run({ dataDir }, { env, stderr }) {
    // A variable of the distributed mode means that another database is meant; the configuration refuses it.
    readBridgeConfig(env);
    const folder = await openDataFolder(dataDir === undefined ? dataFolder(env) : resolve(dataDir));
    try {
      const { close } = await openDatabase(folder.databaseFolder);
      await close();
    } finally {
      await folder.release();
    }
    stderr.write(`The database in ${folder.path} is up to date.\n`);
    return exitCode.done;
  },
});
