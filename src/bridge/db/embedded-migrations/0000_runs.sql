CREATE TABLE "runs" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"flow_id" uuid NOT NULL,
	"snapshot_nodes" jsonb NOT NULL,
	"snapshot_edges" jsonb NOT NULL,
	"status" text DEFAULT 'queued',
	"environment" text,
	"duration_ms" integer,
	"steps_result" jsonb,
	"executed_at" timestamp DEFAULT now()
);
