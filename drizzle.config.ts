import { defineConfig } from 'drizzle-kit';

// `npx drizzle-kit generate` writes the migrations of the bridge's own tables. The table `runs`, which only the embedded
// default makes, has its own: npx drizzle-kit generate --dialect postgresql --schema src/bridge/db/runs-table.ts
// --out src/bridge/db/embedded-migrations
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/bridge/db/schema.ts',
  out: './src/bridge/db/migrations',
  schemaFilter: ['qualinet'],
});
