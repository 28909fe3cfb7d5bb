CREATE TABLE "qualinet"."leases" (
	"id" uuid PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"workspace" text NOT NULL,
	"labels" text[] NOT NULL,
	"priority" integer NOT NULL,
	"position" bigint GENERATED ALWAYS AS IDENTITY (sequence name "qualinet"."leases_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text,
	"variables" jsonb NOT NULL,
	"on_redelivery" text NOT NULL,
	"state" text NOT NULL,
	"fence" integer DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"handbacks" integer DEFAULT 0 NOT NULL,
	"last_end_reason" text,
	"runner_id" uuid,
	"node_id" text,
	"last_seq" integer DEFAULT 0 NOT NULL,
	"queued_at" timestamp with time zone NOT NULL,
	"available_at" timestamp with time zone NOT NULL,
	"offered_until" timestamp with time zone,
	"started_at" timestamp with time zone,
	"expires_at" timestamp with time zone,
	"deadline_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"cancel_requested_at" timestamp with time zone,
	"released_by" uuid,
	"released_fence" integer,
	"error" jsonb
);
--> statement-breakpoint
CREATE TABLE "qualinet"."pairing_codes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"code_hmac" text NOT NULL,
	"workspace" text NOT NULL,
	"labels" text[] NOT NULL,
	"auto_approve" boolean NOT NULL,
	"managed" boolean NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "qualinet"."run_events" (
	"run_id" uuid NOT NULL,
	"fence" integer NOT NULL,
	"seq" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"event" jsonb NOT NULL,
	CONSTRAINT "run_events_run_id_fence_seq_pk" PRIMARY KEY("run_id","fence","seq")
);
--> statement-breakpoint
CREATE TABLE "qualinet"."runner_keys" (
	"runner_id" uuid NOT NULL,
	"generation" integer NOT NULL,
	"not_before" timestamp with time zone NOT NULL,
	"not_after" timestamp with time zone NOT NULL,
	"first_used_at" timestamp with time zone,
	CONSTRAINT "runner_keys_runner_id_generation_pk" PRIMARY KEY("runner_id","generation")
);
--> statement-breakpoint
CREATE TABLE "qualinet"."runners" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"state" text NOT NULL,
	"workspace" text NOT NULL,
	"labels" text[] NOT NULL,
	"mode" text NOT NULL,
	"host" jsonb NOT NULL,
	"check_word" text NOT NULL,
	"draining" boolean DEFAULT false NOT NULL,
	"public_key" text,
	"claim_token_hash" text,
	"pairing_expires_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"approved_at" timestamp with time zone,
	"last_seen_at" timestamp with time zone,
	"capabilities" jsonb
);
--> statement-breakpoint
CREATE TABLE "qualinet"."uploads" (
	"key" text PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"fence" integer NOT NULL,
	"node_id" text NOT NULL,
	"content_type" text NOT NULL,
	"bytes" integer NOT NULL,
	"sha256" text NOT NULL,
	"public_url" text NOT NULL,
	"requested_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "qualinet"."wrong_guesses" (
	"id" uuid PRIMARY KEY NOT NULL,
	"address" text NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "qualinet"."runner_keys" ADD CONSTRAINT "runner_keys_runner_id_runners_id_fk" FOREIGN KEY ("runner_id") REFERENCES "qualinet"."runners"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "leases_run" ON "qualinet"."leases" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "leases_ready" ON "qualinet"."leases" USING btree ("workspace","priority" DESC NULLS LAST,"queued_at","position") WHERE state = 'ready';--> statement-breakpoint
CREATE INDEX "leases_held" ON "qualinet"."leases" USING btree ("state") WHERE state in ('offered', 'leased');--> statement-breakpoint
CREATE INDEX "leases_newest" ON "qualinet"."leases" USING btree ("queued_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "pairing_codes_live" ON "qualinet"."pairing_codes" USING btree ("code_hmac") WHERE used_at is null;--> statement-breakpoint
CREATE INDEX "uploads_run" ON "qualinet"."uploads" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "wrong_guesses_at" ON "qualinet"."wrong_guesses" USING btree ("at");