import { requireGranted, verifyPut } from '../pictures/blob-presigner.ts';
import type { Blobs } from '../pictures/blobs.ts';
import { readPictureKey } from '../pictures/picture-key.ts';
import { ProblemError } from '../problem-error.ts';
import type { Handlers } from './handler.ts';

/** Pictures that the bridge keeps itself, where there is no bucket: put by presigned URL, read by whoever knows the address. */
export function blobRoutes({
  blobs,
  signingKeys,
  nowMs,
}: {
  blobs: Blobs;
  signingKeys: readonly Buffer[];
  nowMs: () => number;
}): Pick<Handlers, 'putBlob' | 'getBlob'> {
  return {
    async putBlob({ params, raw }) {
      const grant = verifyPut(signingKeys, params['*'], raw.query, nowMs());
      requireGranted(grant, raw.contentType, raw.bytes);
      await blobs.put(grant.key, raw.bytes);
      return { done: true };
    },
    async getBlob({ params }) {
      const picture = readPictureKey(params['*']);
      const bytes = picture === null ? null : await blobs.read(params['*']);
      if (picture === null || bytes === null) {
        throw new ProblemError('not_found', { detail: 'there is no such picture' });
      }
      const { contentType } = picture;
      // The key holds the hash of the content, so what is there never changes.
      return { contentType, bytes, cacheControl: 'private, max-age=86400, immutable, no-transform' };
    },
  };
}
