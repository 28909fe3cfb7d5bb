import type { RecordedAt, StepCollector } from '../collect-steps.ts';
import { keyName, type PressedKeys } from './fold-keys.ts';
import type { RecorderStep } from './recorder-schema.ts';

/** What of the whole recording matters to each of its steps. */
export interface RecorderFlow {
  timeoutMs: number | undefined;
  /** True when steps are in other pages than the first one, so that those in it must say so. */
  hasOtherPages: boolean;
}

/** `step 3` and `click`, as messages name a recorded step. */
export function recordedAt(index: number, what: string): RecordedAt {
  return { where: `step ${index + 1}`, what };
}

/** Adds what a recorded step does to the flow, and waits behind it for the navigation that it was seen to cause. */
export function keepRecorderStep(
  step: RecorderStep | PressedKeys,
  recording: RecorderFlow,
  flow: StepCollector,
): void {
  const at = recordedAt(step.at, step.type === 'customStep' ? `customStep "${step.name ?? ''}"` : step.type);
  if (step.type === 'customStep') {
    const given =
      step.parameters === undefined ? '' : ` with ${JSON.stringify(step.parameters).slice(0, 500)}`;
    flow.refuse({ ...at, what: at.what + given }, 'what it does is known to the program that wrote it only');
    return;
  }
  const parts = step.type === 'press' ? step.parts : [step];
  const page = pageOf(parts[0]?.target, recording);
  const timeouts = parts.flatMap(({ timeout }) => (timeout === undefined ? [] : [timeout]));
  const timeoutMs = timeouts.length === 0 ? recording.timeoutMs : Math.max(...timeouts);
  const timing = timeoutMs === undefined ? {} : { timeoutMs };
  const { type, data } = nodeOf(step, flow, at);
  const frame = framed.has(type) && parts[0]?.frame?.length ? { frame: parts[0].frame } : {};
  const events = parts.flatMap(({ assertedEvents = [] }) => assertedEvents);

  const seen = events.map(({ type: event, url, title }) =>
    [`recorded ${event}`, url ?? '', title === undefined || title === '' ? '' : `"${title}"`]
      .filter((word) => word !== '')
      .join(' '),
  );
  if (type === 'navigate') {
    // It waits for its page by itself.
    const note = seen.length === 0 ? {} : { note: seen.join('; ') };
    flow.keep(at, { type, data: { ...data, ...page, ...timing, ...note } });
    return;
  }
  flow.keep(at, { type, data: { ...data, ...(ofNoPage.has(type) ? {} : page), ...frame, ...timing } });
  events.forEach((event, index) => {
    if (event.type !== 'navigation') {
      flow.refuse(
        { ...at, what: `asserted event "${event.type}"` },
        "the Recorder's format has no such event",
      );
      return;
    }
    // Where it led is told, not judged: the Recorder's own runner compares neither address nor title.
    const data = { load: 'load', ...page, ...timing, label: 'page has loaded', note: seen[index] };
    flow.keep(at, { type: 'waitFor', data });
  });
}

/** Types without a field `page`. */
const ofNoPage: ReadonlySet<string> = new Set(['network']);
/** Types with a field `frame`. */
const framed: ReadonlySet<string> = new Set(['click', 'hover', 'type', 'press', 'scroll', 'waitFor']);

const buttons = {
  primary: 'left',
  auxiliary: 'middle',
  secondary: 'right',
  back: 'back',
  forward: 'forward',
} as const;

type Kept = Exclude<RecorderStep | PressedKeys, { type: 'customStep' }>;

function nodeOf(
  step: Kept,
  flow: StepCollector,
  at: RecordedAt,
): { type: string; data: Record<string, unknown> } {
  switch (step.type) {
    case 'navigate':
      return { type: 'navigate', data: { url: openable(step.url, flow, at) } };
    case 'click':
    case 'doubleClick': {
      const { offsetX, offsetY, button, duration, deviceType } = step;
      if (deviceType !== undefined && deviceType !== 'mouse') {
        flow.note(`${at.where}: recorded with ${deviceType}, clicked with the mouse`);
      }
      const count = step.type === 'doubleClick' ? { count: 2 } : {};
      const isOffset = offsetX !== undefined && offsetY !== undefined;
      return {
        type: 'click',
        data: {
          ...targetOf(step.selectors),
          ...count,
          ...(button === undefined || button === 'primary' ? {} : { button: buttons[button] }),
          ...(isOffset ? { position: { x: offsetX, y: offsetY } } : {}),
          ...(duration === undefined ? {} : { delayMs: Math.round(duration) }),
        },
      };
    }
    case 'hover':
      return { type: 'hover', data: targetOf(step.selectors) };
    case 'change':
      return { type: 'type', data: { ...targetOf(step.selectors), value: step.value } };
    case 'press':
      return { type: 'press', data: { key: step.key } };
    case 'keyDown':
    case 'keyUp':
      return { type: step.type, data: { key: keyName(step.key) } };
    case 'scroll':
      return {
        type: 'scroll',
        data: { ...targetOf(step.selectors ?? []), ...scrolled(step) },
      };
    case 'setViewport': {
      const { width, height, deviceScaleFactor, isMobile, hasTouch, isLandscape } = step;
      const all = { deviceScaleFactor, isMobile, hasTouch, isLandscape };
      return {
        type: 'viewport',
        data: { width: Math.round(width), height: Math.round(height), ...given(all) },
      };
    }
    case 'emulateNetworkConditions':
      return { type: 'network', data: networkOf(step) };
    case 'waitForElement': {
      const { count = 1, operator = '>=', visible = true, properties, attributes } = step;
      const asked = given({ properties, attributes });
      // Its runner counts what is there, seen or not, and turns the whole answer round where `visible` is false.
      const turned = visible ? {} : { negate: true };
      return { type: 'waitFor', data: { ...targetOf(step.selectors), count, operator, ...asked, ...turned } };
    }
    case 'waitForExpression':
      return { type: 'waitFor', data: { expression: step.expression } };
    case 'close':
      return { type: 'closePage', data: {} };
  }
}

/** A list of one is that one; all are alternatives, in the order they were recorded. */
function targetOf(selectors: readonly (string | readonly string[])[]): Record<string, unknown> {
  const all = selectors.map((selector) =>
    typeof selector === 'string' ? selector : selector.length === 1 ? (selector[0] ?? '') : selector,
  );
  const [only] = all;
  if (only === undefined) return {};
  return all.length === 1 && typeof only === 'string' ? { selector: only } : { selectors: all };
}

/** A page and an empty scroll: the Recorder's runner takes a missing number as 0. */
function scrolled({
  x,
  y,
  selectors,
}: {
  x?: number | undefined;
  y?: number | undefined;
  selectors?: unknown;
}) {
  if (x === undefined && y === undefined && selectors !== undefined) return {};
  return { x: x ?? 0, y: y ?? 0 };
}

function networkOf({ download, upload, latency }: { download: number; upload: number; latency: number }) {
  if (download === 0 && upload === 0) return { offline: true };
  return {
    ...(download > 0 ? { downloadBytesPerSecond: download } : {}),
    ...(upload > 0 ? { uploadBytesPerSecond: upload } : {}),
    ...(latency > 0 ? { latencyMs: Math.round(latency) } : {}),
  };
}

function pageOf(target: string | undefined, { hasOtherPages }: RecorderFlow): { page?: string } {
  return hasOtherPages ? { page: target ?? 'main' } : {};
}

/** The page of a new tab has no address that another browser could open; an empty page shows as much. */
function openable(url: string, flow: StepCollector, at: RecordedAt): string {
  if (!/^(chrome|edge|brave|about):\/*(newtab|new-tab-page)\/*$/i.test(url.trim())) return url;
  flow.note(`${at.where}: ${url} is opened as about:blank`);
  return 'about:blank';
}

function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
