declare const QUALINET_VERSION: string | undefined;

/** Version of this build, as in package.json; run from source it is `0.0.0-source`. */
export const version: string = typeof QUALINET_VERSION === 'string' ? QUALINET_VERSION : '0.0.0-source';
