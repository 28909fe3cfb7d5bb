-- The tables of a backend, as bridges expect them: for trying things out, where there is no backend yet. A real backend
-- brings its own and has more in them; bridges never make or change these. Runs once, when the database is new.

create table flows (
  id uuid primary key default gen_random_uuid()
);

create table runs (
  id uuid primary key default gen_random_uuid(),
  flow_id uuid not null references flows (id),
  snapshot_nodes jsonb not null,
  snapshot_edges jsonb not null,
  status text default 'queued',
  environment text,
  duration_ms integer,
  steps_result jsonb,
  executed_at timestamp default now()
);

-- What `qualinet-bridge submit --flow-id` can name.
insert into flows (id) values ('00000000-0000-4000-8000-000000000001');
