import { AwsV4Signer } from 'aws4fetch';
import type { BucketConfig } from '../config.ts';
import type { Presigner } from './presigner.ts';

/**
 * Signs PUTs to a bucket that speaks S3 (AWS Signature Version 4 in the query). Content type and length are signed, so
 * that the URL takes nothing larger and nothing else; a checksum is not, because Backblaze answers every
 * `x-amz-checksum-*` with 400. Nothing is asked over the network.
 */
export function bucketPresigner(
  { name, endpoint, region, keyId, applicationKey, publicUrl }: BucketConfig,
  { ttlMs, nowMs }: { ttlMs: number; nowMs: () => number },
): Presigner {
  /** The signing keys of the day, which cost four HMACs to derive; it is emptied when the day changes. */
  let derived = { day: '', keys: new Map<string, ArrayBuffer>() };
  return {
    async presign({ key, contentType, bytes }) {
      // The signature knows seconds only.
      const signedAtMs = Math.floor(nowMs() / 1_000) * 1_000;
      const seconds = Math.ceil(ttlMs / 1_000);
      const datetime = new Date(signedAtMs).toISOString().replace(/[:-]|\.\d{3}/g, '');
      const day = datetime.slice(0, 8);
      if (day !== derived.day) derived = { day, keys: new Map() };
      const headers = { 'content-type': contentType };
      const { url } = await new AwsV4Signer({
        method: 'PUT',
        // The bucket in the path, not in the host: so it works with every endpoint and with dots in its name.
        url: `${endpoint}/${name}/${key}?X-Amz-Expires=${seconds}`,
        headers: { ...headers, 'content-length': String(bytes) },
        accessKeyId: keyId,
        secretAccessKey: applicationKey.reveal(),
        service: 's3',
        // Without one the library reads it from the hosts of Backblaze, AWS and Cloudflare, else takes us-east-1.
        ...(region === null ? {} : { region }),
        datetime,
        cache: derived.keys,
        signQuery: true,
        // Else the library leaves content type and length unsigned.
        allHeaders: true,
      }).sign();
      return {
        url: url.href,
        // Not the length: clients set it themselves, and some refuse to be told (the fetch of Node 20 does).
        headers,
        publicUrl: `${publicUrl}/${key}`,
        expiresAtMs: signedAtMs + seconds * 1_000,
      };
    },
  };
}
