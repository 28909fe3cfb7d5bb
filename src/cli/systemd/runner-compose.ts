import { basename } from 'node:path';
import { secretsVariable, serviceEnvironment } from '../../agent/config/service-environment.ts';

/** What a container of a runner is told. */
export interface RunnerCompose {
  /** Of the program that writes it: the image of the same version. */
  version: string;
  name: string;
  /** What stands behind `qualinet start`, without files and without `--health-listen`. */
  startArguments: readonly string[];
  /** Files of this machine that the runner reads, with the option that names each. */
  files: readonly { flag: string; path: string }[];
  /** File of secrets, or null. */
  secrets: string | null;
  drainMs: number;
}

/** Home of the runner in its image. Source: Dockerfile. */
const homeInImage = '/home/qualinet/.qualinet';
const healthPort = 4871;
const afterDrainSeconds = 30;

/** A compose file for one runner, which pairs by code. */
export function runnerCompose(runner: RunnerCompose): string {
  const { name, version, files, secrets } = runner;
  const image = `qualinet:${version.split('.')[0]}`;
  const mounts = files.map(({ flag, path }) => ({ flag, path, inside: `/etc/qualinet/${basename(path)}` }));
  const command = [
    'start',
    ...runner.startArguments,
    ...mounts.flatMap(({ flag, inside }) => [flag, inside]),
    '--health-listen',
    String(healthPort),
  ];
  const environment = {
    ...serviceEnvironment({ home: homeInImage, drainMs: runner.drainMs }),
    ...(secrets === null ? {} : { [secretsVariable]: '/run/secrets/qualinet_secrets' }),
  };
  const check = `fetch('http://127.0.0.1:${healthPort}/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;
  return [
    '# One qualinet runner. Written by qualinet service print --compose.',
    `#   docker build -t ${image} .      # from a checkout of qualinet; the image has node, qualinet and a Chromium`,
    '#   docker compose run --rm runner pair 482913 --api https://bridge.example.com',
    '#   docker compose up -d',
    `name: ${text(name)}`,
    '',
    'services:',
    '  runner:',
    `    image: ${text(image)}`,
    `    command: ${list(command)}`,
    '    # 64, 77 and 78 are for a person to look at, and Docker cannot tell them from others: five tries, then it stays down.',
    '    restart: on-failure:5',
    ...(secrets === null
      ? []
      : [
          '    # Readable by the user of the image, 10001: chown 10001 the file, chmod 400.',
          '    secrets: [qualinet_secrets]',
        ]),
    '    environment:',
    ...Object.entries(environment).map(([key, value]) => `      ${key}: ${text(value)}`),
    '    # Who it is, and what it still has to deliver. One runner for each of these.',
    '    volumes:',
    `      - ${text(`runner-home:${homeInImage}`)}`,
    ...mounts.map(
      ({ path, inside }) =>
        `      - { type: bind, source: ${text(path)}, target: ${text(inside)}, read_only: true }`,
    ),
    '    # The image runs as its user 10001 under an init process of its own.',
    '    read_only: true',
    '    tmpfs: ["/tmp:mode=1777,size=1g"]',
    '    cap_drop: [ALL]',
    '    # With the profile deploy/chromium-seccomp.json of qualinet Chromium keeps its sandbox; add it here where that file is:',
    '    #   - seccomp=./chromium-seccomp.json',
    '    security_opt:',
    '      - no-new-privileges:true',
    '    # Chromium keeps what its processes share in /dev/shm; the 64 MB of a container make it crash.',
    '    shm_size: 1gb',
    `    # What runs is finished first: ${afterDrainSeconds} s more than QUALINET_DRAIN_SECONDS.`,
    `    stop_grace_period: ${Math.ceil(runner.drainMs / 1_000) + afterDrainSeconds}s`,
    '    healthcheck:',
    `      test: ${list(['CMD', 'node', '-e', check])}`,
    '      interval: 30s',
    '      timeout: 5s',
    '      retries: 3',
    '      start_period: 60s',
    '    logging:',
    '      driver: json-file',
    '      options: { max-size: 10m, max-file: "5" }',
    '',
    ...(secrets === null ? [] : ['secrets:', `  qualinet_secrets: { file: ${text(secrets)} }`, '']),
    'volumes:',
    '  runner-home: {}',
    '',
  ].join('\n');
}

/** JSON is YAML; compose takes a dollar for a variable. */
function text(value: string): string {
  return JSON.stringify(value).replaceAll('$', '$$$$');
}

function list(values: readonly string[]): string {
  return `[${values.map(text).join(', ')}]`;
}
