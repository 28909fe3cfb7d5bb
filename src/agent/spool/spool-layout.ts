import { join } from 'node:path';
import * as z from 'zod';
import { limits } from '../../protocol/limits.ts';
import { artifactTypes, releaseReasons } from '../../protocol/messages.ts';
import { runResultSchema } from '../../protocol/run-result.ts';

// What a runner owes the bridge, on disk before it is sent: <home>/spool/<leaseId>-<fence>/ with
//   lease.json     whose it is, before the bridge hears that the lease is taken
//   events.jsonl   step events, one a line
//   *.picture      pictures that are not uploaded yet: a line of JSON, then the bytes
//   ending.json    how the run ended for this runner: its result, or that it is handed back
// Thrown away when the bridge has it all or says that it is not wanted.

export const leaseFile = 'lease.json';
export const eventsFile = 'events.jsonl';
export const endingFile = 'ending.json';

/** The folder of all that is owed from this home. */
export function spoolRoot(home: string): string {
  return join(home, 'spool');
}

/** The folder of one lease under one fence. */
export function spoolFolder(
  home: string,
  { leaseId, fence }: Pick<SpoolHeader, 'leaseId' | 'fence'>,
): string {
  return join(spoolRoot(home), `${leaseId}-${fence}`);
}

export const spoolHeaderSchema = z.strictObject({
  leaseId: z.uuid(),
  fence: z.number().int().positive(),
  runId: z.uuid(),
  /** It is delivered only as this runner and to this bridge: nobody else may see it. */
  runnerId: z.uuid(),
  apiBaseUrl: z.string(),
});

/** Whose spool it is. */
export type SpoolHeader = z.infer<typeof spoolHeaderSchema>;

export const endingSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('result'), result: runResultSchema }),
  z.strictObject({
    kind: z.literal('release'),
    reason: z.enum(releaseReasons),
    detail: z.string().max(limits.textLength),
  }),
]);

/** The last thing a runner says about a lease. */
export type Ending = z.infer<typeof endingSchema>;

/** Bytes that hold the header of every picture's file: a node's id has at most 200 characters, each of up to 6 bytes in JSON. */
export const pictureHeadBytes = 4_096;

const pictureHeaderSchema = z.strictObject({
  nodeId: z.string(),
  contentType: z.enum(artifactTypes),
});

/** A picture of a failure. */
export interface Picture extends z.infer<typeof pictureHeaderSchema> {
  bytes: Uint8Array;
}

/** The file of the `number`th picture of a lease; by name they are in order. */
export function pictureFile(number: number): string {
  return `${String(number).padStart(4, '0')}.picture`;
}

/** True for the name of a picture's file. */
export function isPictureFile(name: string): boolean {
  return /^\d{4,}\.picture$/.test(name);
}

/** A picture as its file holds it. */
export function pictureContent({ bytes, ...header }: Picture): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), bytes]);
}

/** The picture in a file's content; throws for what is none. */
export function pictureIn(content: Uint8Array<ArrayBuffer>): Picture {
  const end = content.indexOf(0x0a);
  const header = JSON.parse(Buffer.from(content.subarray(0, Math.max(0, end))).toString()) as unknown;
  return { ...pictureHeaderSchema.parse(header), bytes: content.subarray(end + 1) };
}
