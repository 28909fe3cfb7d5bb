import { appearanceRows, environmentHelp } from '../../command-line/help.ts';

/** What each variable of a bridge is, by name; a test holds it against those that the configuration reads. */
export const bridgeVariableSummaries: Readonly<Record<string, string>> = {
  HOST: 'Address to listen on (default: 127.0.0.1) [--host]',
  PORT: 'Port to listen on, 0 for any free one (default: 4870) [--port]',
  PUBLIC_URL: 'Address that runners use and sign for; needed when HOST is not loopback',
  QUALINET_DATA_DIR: 'Data folder (default: ~/.qualinet-bridge) [--data-dir]',
  WORKER_SECRET:
    "What runners' keys are derived from, 16 characters or more (default: made once, kept in the folder)",
  WORKER_SECRET_PREVIOUS: 'Taken beside WORKER_SECRET while that is being replaced',
  QUALINET_ADMIN_TOKEN: "Bearer token of the operators' API (default: made once, kept in the folder)",
  QUALINET_ALLOW_MANAGED_PAIR: '`true` lets managed runners pair; needs the next one',
  QUALINET_MANAGED_PAIR_SECRET: 'What managed runners prove to know, 32 characters or more',
  QUALINET_TRUSTED_PROXIES:
    'Proxies whose X-Forwarded-For counts: addresses or networks, separated by commas',
  QUALINET_MIN_RUNNER_VERSION: 'Oldest version of runners that is served from QUALINET_MIN_RUNNER_FROM on',
  QUALINET_MIN_RUNNER_FROM: 'Since when: a date like 2027-01-31, or with a time and zone',
  QUALINET_LEASE_TTL_SECONDS: 'How long a runner that is not heard of keeps its run (default: 60)',
  QUALINET_MAX_RUN_SECONDS: 'How long a run may take (default: 900)',
  DATABASE_URL: "PostgreSQL of the backend; needs REDIS_URL (default: everything in the bridge's own folder)",
  REDIS_URL: "Redis of the backend's queues",
  QUALINET_MANAGED_REDIS_URL: 'Taken before REDIS_URL',
  QUALINET_QUEUES: 'BullMQ queues that runs come by, separated by commas (default: test-queue)',
  QUALINET_QUEUE_PREFIX: "BullMQ's prefix, the same as the backend's (default: bull)",
  B2_BUCKET_NAME: 'Bucket for pictures; needs the other B2_ variables',
  B2_ENDPOINT: 'Its address without the bucket',
  B2_REGION: 'Its region, where the endpoint does not name it',
  B2_KEY_ID: 'Key that may write files into it',
  B2_APPLICATION_KEY: 'Secret of that key',
  B2_PUBLIC_URL: "What the addresses of pictures begin with (default: the bucket's own)",
};

/** What is read by OpenTelemetry's own names and by Node itself. */
const otherRows = [
  {
    variables: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    summary: 'Collector for traces (OTLP over HTTP), and the other OTEL_ variables of docs/operations.md',
  },
  {
    variables: ['NODE_EXTRA_CA_CERTS'],
    summary: 'File with further certificate authorities (PEM), read by Node itself',
  },
];

/** `qualinet-bridge help environment`. */
export function environmentTopic(): string {
  return environmentHelp(
    'Variables that qualinet-bridge reads. An option, in brackets, stands over its variable; a variable set to nothing counts as not set.',
    [
      ...Object.entries(bridgeVariableSummaries).map(([name, summary]) => ({ variables: [name], summary })),
      ...otherRows,
      ...appearanceRows,
    ],
  );
}
