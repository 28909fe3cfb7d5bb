import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A datagram socket as systemd has one, and what came in by it. */
export interface NotifySocket {
  /** For the program under test: where to send, and a PATH on which `systemd-notify` is. */
  env: { NOTIFY_SOCKET: string; PATH: string };
  /** Assignments so far, in order: `READY=1`. */
  heard: string[];
}

// Node.js knows no datagram sockets with a path; perl is on every Debian. It keeps no descriptor that came along, which tells the
// sender that its message was read.
const receiver = `
  use Socket;
  socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die $!;
  bind($socket, sockaddr_un($ARGV[0])) or die $!;
  $| = 1;
  print "listening\\n";
  while (defined recv($socket, my $text, 65536, 0)) { print "$text\\n" }
`;

// For machines without systemd.
const standIn = `#!/usr/bin/env perl
use Socket;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die $!;
send($socket, join("\\n", @ARGV), 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!;
`;

/** Opens one in `folder` until the test ends. Where there is no systemd, a program that sends the same stands in for its own, and that is said. */
export async function notifySocket(folder: string): Promise<NotifySocket> {
  const path = join(folder, 'notify');
  const child: ChildProcess = spawn('perl', ['-e', receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const heard: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject).once('exit', () => reject(new Error('perl ended')));
    if (child.stdout === null) throw new Error('no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'listening') resolve();
      // That is how systemd-notify waits until its message was read.
      else if (line !== 'BARRIER=1') heard.push(line);
    });
  });
  return { env: { NOTIFY_SOCKET: path, PATH: await pathWithNotify(folder) }, heard };
}

async function pathWithNotify(folder: string): Promise<string> {
  const path = process.env['PATH'] ?? '';
  if (spawnSync('systemd-notify', ['--version']).status === 0) return path;
  console.log('there is no systemd-notify here: a stand-in sends for it');
  const programs = join(folder, 'programs');
  await mkdir(programs);
  await writeFile(join(programs, 'systemd-notify'), standIn);
  await chmod(join(programs, 'systemd-notify'), 0o755);
  return `${programs}:${path}`;
}
