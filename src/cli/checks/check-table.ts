import { audit } from './audit.ts';
import { bridgeAddress } from './bridge-address.ts';
import { bridgeAnswer } from './bridge-answer.ts';
import { browserFound } from './browser-found.ts';
import type { Check } from './check.ts';
import { clockSkew } from './clock-skew.ts';
import { connection } from './connection.ts';
import { controlHints } from './control-hints.ts';
import { credentialsAccepted } from './credentials-accepted.ts';
import { disk } from './disk.ts';
import { flowNetwork } from './flow-network.ts';
import { fonts } from './fonts.ts';
import { home } from './home.ts';
import { idleCut } from './idle-cut.ts';
import { localSecrets } from './local-secrets.ts';
import { memory } from './memory.ts';
import { nameLookup } from './name-lookup.ts';
import { nodeVersion } from './node-version.ts';
import { openFiles } from './open-files.ts';
import { pageRendered } from './page-rendered.ts';
import { pairing } from './pairing.ts';
import { policy } from './policy.ts';
import { processors } from './processors.ts';
import { proxy } from './proxy.ts';
import { runnerAtWork } from './runner-at-work.ts';
import { sandbox } from './sandbox.ts';
import { servedVersion } from './served-version.ts';
import { serviceUnit } from './service-unit.ts';
import { sharedMemory } from './shared-memory.ts';
import { tls } from './tls.ts';

/** What `qualinet doctor` looks at, in the order in which it tells; what a check needs stands before it. */
export const checkTable: readonly Check[] = [
  nodeVersion,
  home,
  disk,
  pairing,
  runnerAtWork,
  policy,
  flowNetwork,
  localSecrets,
  audit,
  bridgeAddress,
  proxy,
  nameLookup,
  connection,
  tls,
  bridgeAnswer,
  clockSkew,
  credentialsAccepted,
  servedVersion,
  controlHints,
  idleCut,
  browserFound,
  pageRendered,
  sandbox,
  fonts,
  sharedMemory,
  memory,
  processors,
  openFiles,
  serviceUnit,
];

/** These checks and all that they need. */
export function withNeeds(names: ReadonlySet<string>): Check[] {
  const wanted = new Set(names);
  for (const { name, needs } of [...checkTable].reverse()) {
    if (wanted.has(name)) for (const need of needs) wanted.add(need);
  }
  return checkTable.filter(({ name }) => wanted.has(name));
}
