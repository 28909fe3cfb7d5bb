import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/** The flow that every run of the tests belongs to. */
export const backendFlowId = '0f1f0f1f-0000-4000-8000-000000000001';

/**
 * The table of the original specification, section 3, as a backend has it: written here once more by hand, because it is
 * not ours to make.
 */
const backendTables = `
  create table flows (id uuid primary key default gen_random_uuid());
  create table runs (
    id uuid primary key default gen_random_uuid(),
    flow_id uuid not null references flows(id),
    snapshot_nodes jsonb not null,
    snapshot_edges jsonb not null,
    status text default 'queued',
    environment text,
    duration_ms integer,
    steps_result jsonb,
    executed_at timestamp default now()
  );
  insert into flows values ('${backendFlowId}');`;

/** An empty database on the suite's PostgreSQL, with the backend's tables unless `tables` says otherwise. */
export async function backendDatabase({
  server = sharedServer(),
  tables = backendTables,
}: {
  server?: string;
  tables?: string;
} = {}): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await onServer(server, `create database ${name}`);
  await onServer(url.href, tables);
  return { url: url.href, drop: () => onServer(server, `drop database if exists ${name} with (force)`) };
}

/** Runs one statement, or several. */
export async function onServer(url: string, statements: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}

/** Address of the PostgreSQL that global-setup.ts started for the whole suite. */
function sharedServer(): string {
  const url = process.env['QUALINET_TEST_POSTGRES'];
  if (url === undefined) throw new Error('the suite has no PostgreSQL; run it with: npm test');
  return url;
}
