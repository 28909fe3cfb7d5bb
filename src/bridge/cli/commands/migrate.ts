import { resolve } from 'node:path';
import * as z from 'zod';
import { defineCommand } from '../../../command-line/command.ts';
import { peopleLog } from '../../../command-line/people-log.ts';
import { UsageError } from '../../../lib/errors.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { readBridgeConfig } from '../../config.ts';
import { migrateDatabase } from '../../distributed/migrate-database.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { openDatabase } from '../../embedded/database.ts';

/** `qualinet-bridge migrate`: our own tables brought up to date, in the database that the configuration names. */
export const migrate = defineCommand({
  options: z.object({
    args: z.tuple([]),
    dataDir: z.string().min(1).optional(),
    json: z.boolean().default(false),
  }),
  async run({ dataDir, json }, context) {
    const { env, stdout, stderr } = context;
    const report = (database: string): void => {
      if (json) stdout.write(`${JSON.stringify({ database, isUpToDate: true })}\n`);
    };
    const { servers, dataDir: configured } = readBridgeConfig(env);
    if (servers !== null) {
      if (dataDir !== undefined) {
        throw new UsageError('--data-dir and DATABASE_URL name two databases; give one of them');
      }
      const isChanged = await migrateDatabase(servers.databaseUrl, { log: peopleLog(context) });
      stderr.write(
        `The schema "qualinet" ${isChanged ? 'was brought up to date' : 'is up to date'}; no other table was touched.\n`,
      );
      report('the schema "qualinet"');
      return exitCode.done;
    }
    const folder = await openDataFolder(dataDir === undefined ? configured : resolve(dataDir));
    try {
      const { close } = await openDatabase(folder.databaseFolder);
      await close();
    } finally {
      await folder.release();
    }
    stderr.write(`The database in ${folder.path} is up to date.\n`);
    report(folder.path);
    return exitCode.done;
  },
});
