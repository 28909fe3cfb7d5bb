import type { PictureType } from './picture-key.ts';

/** Signs uploads: to a bucket, else to the bridge itself. */
export interface Presigner {
  presign(grant: UploadGrant): Promise<PresignedPut>;
}

/** One object to be put: all of it is signed, but for the hash where storage cannot check one. */
export interface UploadGrant {
  key: string;
  contentType: PictureType;
  bytes: number;
  sha256: string;
}

/** A PUT for exactly one object, and where it can be read afterwards. */
export interface PresignedPut {
  url: string;
  headers: Record<string, string>;
  publicUrl: string;
  expiresAtMs: number;
}
