// Loaded into a runner before its own code, by tests only (NODE_OPTIONS=--import). It kills its process before or after a
// thing done to the spool, lets the disk be full for chosen files, and moves the wall clock. What to do stands in the file
// QUALINET_CHAOS_ORDERS names; it is read at the start and with every SIGUSR2, and what was read is acknowledged in `<file>.read`.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import v8 from 'node:v8';
import vm from 'node:vm';

const ordersPath = process.env.QUALINET_CHAOS_ORDERS;
const { appendFileSync, readFileSync, renameSync, writeFileSync } = fs;

/** @type {{ id: number, spool: string, killAt?: { name: string, nth: number, when: 'before' | 'after' | 'torn' }, full?: string[], clockOffsetMs?: number, collectGarbage?: boolean }} */
let orders = { id: 0, spool: '' };
let passed = new Map();

function readOrders() {
  orders = JSON.parse(readFileSync(ordersPath, 'utf8'));
  passed = new Map();
  if (orders.collectGarbage) collectGarbage();
  writeFileSync(`${ordersPath}.tmp`, String(orders.id));
  renameSync(`${ordersPath}.tmp`, `${ordersPath}.read`);
}

/** What is only waiting to be collected would make memory look as if it grew. */
function collectGarbage() {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc');
  for (let times = 0; times < 4; times += 1) collect();
}

const die = () => {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
};

/** Which kind of file this is: what a full disk is told by. */
function classOf(path) {
  if (/picture/.test(path)) return 'pictures';
  if (/events/.test(path)) return 'events';
  if (/ending/.test(path)) return 'result';
  return 'other';
}

/** `appendFile /<lease>/events.jsonl`: the same for every run. */
function pointName(operation, path) {
  const place = path.slice(orders.spool.length);
  return `${operation} ${place.replace(/[0-9a-f]{8}-[0-9a-f-]{27,}/g, '<lease>').replace(/[0-9a-f]{12,}/g, '*')}`;
}

/** What to do around one operation on `path`; null outside the spool. */
function pointAt(operation, path, isWrite) {
  if (typeof path !== 'string' || orders.spool === '' || !path.startsWith(orders.spool)) return null;
  if (isWrite && orders.full?.some((kind) => kind === classOf(path) || kind === 'all')) {
    const error = new Error(`ENOSPC: no space left on device, ${operation} '${path}'`);
    throw Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: operation, path });
  }
  const { killAt } = orders;
  const name = pointName(operation, path);
  const nth = (passed.get(name) ?? 0) + 1;
  passed.set(name, nth);
  appendFileSync(`${ordersPath}.seen`, `${name}\n`);
  if (killAt === undefined || killAt.name !== name || killAt.nth !== nth)
    return { before() {}, after() {}, isTorn: false };
  const end = () => {
    appendFileSync(`${ordersPath}.points`, `${killAt.when} ${name} #${nth}\n`);
    die();
  };
  return {
    before: () => killAt.when === 'before' && end(),
    after: () => killAt.when !== 'before' && end(),
    isTorn: killAt.when === 'torn',
  };
}

const writing = new Set(['write', 'writev', 'writeFile', 'appendFile', 'mkdir', 'truncate']);
const writesData = new Set(['write', 'writeFile', 'appendFile']);

const halfOf = (data) =>
  typeof data === 'string' || ArrayBuffer.isView(data) ? data.slice(0, Math.floor(data.length / 2)) : data;

/** Replaces `owner[name]`; `pathOf` finds the path among the arguments, `dataAt` is the argument that holds what is written. */
function wrap(owner, name, operation, pathOf, dataAt, { isSync = false } = {}) {
  const original = owner[name];
  if (typeof original !== 'function') return;
  const prepare = (self, args) => {
    const isOpenToWrite =
      operation === 'open' && args[1] !== undefined && args[1] !== 'r' && args[1] !== fs.constants.O_RDONLY;
    if (operation === 'open' && !isOpenToWrite) return null;
    const point = pointAt(operation, pathOf(self, args), writing.has(operation) || isOpenToWrite);
    point?.before();
    if (point?.isTorn && writesData.has(operation)) args[dataAt] = halfOf(args[dataAt]);
    return point;
  };
  owner[name] = isSync
    ? function wrapped(...args) {
        const point = prepare(this, args);
        const result = original.apply(this, args);
        point?.after();
        return result;
      }
    : async function wrapped(...args) {
        const point = prepare(this, args);
        const result = await original.apply(this, args);
        point?.after();
        return result;
      };
}

if (ordersPath !== undefined) {
  const firstArg = (_self, [path]) => (path instanceof URL ? path.pathname : path);
  const paths = new WeakMap();
  const descriptors = new Map();
  const open = fs.promises.open;
  const sample = await open(process.execPath, 'r');
  const handles = Object.getPrototypeOf(sample);
  await sample.close();

  for (const name of [
    'open',
    'writeFile',
    'appendFile',
    'rename',
    'rm',
    'rmdir',
    'unlink',
    'mkdir',
    'truncate',
    'link',
    'copyFile',
  ]) {
    wrap(fs.promises, name, name, firstArg, 1);
    wrap(fs, `${name}Sync`, name, firstArg, 1, { isSync: true });
  }
  const openWrapped = fs.promises.open;
  fs.promises.open = async (path, ...rest) => {
    const handle = await openWrapped(path, ...rest);
    paths.set(handle, String(path));
    return handle;
  };
  const openSync = fs.openSync;
  fs.openSync = (path, ...rest) => {
    const descriptor = openSync(path, ...rest);
    descriptors.set(descriptor, String(path));
    return descriptor;
  };
  const ofHandle = (self) => paths.get(self);
  for (const name of ['write', 'writev', 'writeFile', 'appendFile', 'sync', 'datasync', 'truncate']) {
    wrap(handles, name, name, ofHandle, 0);
  }
  const ofDescriptor = (_self, [descriptor]) => descriptors.get(descriptor);
  wrap(fs, 'writeSync', 'write', ofDescriptor, 1, { isSync: true });
  wrap(fs, 'fsyncSync', 'sync', ofDescriptor, 1, { isSync: true });
  wrap(fs, 'fdatasyncSync', 'sync', ofDescriptor, 1, { isSync: true });
  wrap(fs, 'ftruncateSync', 'truncate', ofDescriptor, 1, { isSync: true });
  syncBuiltinESMExports();

  const RealDate = Date;
  const nowMs = () => RealDate.now() + (orders.clockOffsetMs ?? 0);
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [nowMs()] : args, newTarget),
    apply: () => new RealDate(nowMs()).toString(),
    get: (target, key, receiver) => (key === 'now' ? nowMs : Reflect.get(target, key, receiver)),
  });

  readOrders();
  process.on('SIGUSR2', readOrders);
}
