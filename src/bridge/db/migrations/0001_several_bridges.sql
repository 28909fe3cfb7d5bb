CREATE TABLE "qualinet"."blobs" (
	"key" text PRIMARY KEY NOT NULL,
	"content" "bytea" NOT NULL,
	"stored_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "qualinet"."marks" (
	"name" text PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "qualinet"."leases" ADD COLUMN "untold" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "qualinet"."leases" ADD COLUMN "queue" text;--> statement-breakpoint
ALTER TABLE "qualinet"."leases" ADD COLUMN "job_id" text;--> statement-breakpoint
ALTER TABLE "qualinet"."leases" ADD COLUMN "trace_parent" text;--> statement-breakpoint
CREATE INDEX "leases_untold" ON "qualinet"."leases" USING btree ("ended_at") WHERE untold;