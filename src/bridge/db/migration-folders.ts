import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the SQL files are: of the bridge's own tables, and of the embedded default's table `runs`. */
export interface MigrationFolders {
  own: string;
  embedded: string;
}

/** Beside this file when run from source, beside the bundle when built. Throws when neither has them: a broken build. */
export function migrationFolders(): MigrationFolders {
  const here = dirname(fileURLToPath(import.meta.url));
  const own = join(here, 'migrations');
  if (!existsSync(join(own, 'meta', '_journal.json'))) throw new Error(`the migrations are missing: ${own}`);
  return { own, embedded: join(here, 'embedded-migrations') };
}
