import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import type { ProxySettings } from '../config/agent-config.ts';

/**
 * What TLS connections of the runner are checked against; null for what Node takes by itself. To name any certificate makes
 * Node forget its own and those of NODE_EXTRA_CA_CERTS, so all of them are named.
 */
export function trustedCertificates({
  extraCas = null,
  nodeExtraCaFile = null,
}: Partial<Pick<ProxySettings, 'extraCas' | 'nodeExtraCaFile'>>): tls.SecureContext | null {
  if (extraCas === null) return null;
  const ca = [...usualCertificates(nodeExtraCaFile), ...extraCas.certificates.map(({ pem }) => pem)];
  // Made once: reading all authorities again for each connection costs more than its handshake.
  return tls.createSecureContext({ ca });
}

/** Node tells since 22.15 what it takes by itself, whatever it was started with; before that, its own and the file that it reads. */
function usualCertificates(nodeExtraCaFile: string | null): readonly string[] {
  const getCACertificates: unknown = Reflect.get(tls, 'getCACertificates');
  if (typeof getCACertificates === 'function') return getCACertificates('default') as string[];
  return [...tls.rootCertificates, ...(nodeExtraCaFile === null ? [] : readIfThere(nodeExtraCaFile))];
}

/** Node warns of a file that it cannot read and goes on; so does this, without a second warning. */
function readIfThere(path: string): string[] {
  try {
    return [readFileSync(path, 'latin1')];
  } catch {
    return [];
  }
}
