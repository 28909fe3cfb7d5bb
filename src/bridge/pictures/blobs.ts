/** Stored pictures by key. Keys are checked by the caller (picture-key.ts) and never hold `..`. */
export interface Blobs {
  /** A reader sees a whole picture or none; storing one again changes nothing. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Null when there is none. */
  read(key: string): Promise<Buffer | null>;
}
