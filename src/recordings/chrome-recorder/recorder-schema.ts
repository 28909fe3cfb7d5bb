import * as z from 'zod';

/** A text, or a list that leads through shadow roots. */
const selectors = z
  .array(
    z.union([z.string(), z.array(z.string()).min(1, 'is empty')], 'must be a text or a list of texts'),
    'must be a list',
  )
  .min(1, 'is empty');

const text = z.string('must be a text');
const number = z.number('must be a number');
const flag = z.boolean('must be true or false');
const milliseconds = number.int('must be a whole number').min(1, 'must be at least 1');

const everyStep = {
  timeout: milliseconds.optional(),
  assertedEvents: z
    .array(
      z.looseObject({ type: text, url: text.optional(), title: text.optional() }, 'must be an object'),
      'must be a list',
    )
    .optional(),
  target: text.optional(),
  frame: z.array(number.int('must be a whole number').min(0), 'must be a list').optional(),
};
const onElement = { ...everyStep, selectors };
const click = {
  ...onElement,
  offsetX: number.optional(),
  offsetY: number.optional(),
  button: z
    .enum(
      ['primary', 'auxiliary', 'secondary', 'back', 'forward'],
      'must be primary, auxiliary, secondary, back, forward',
    )
    .optional(),
  duration: number.min(0, 'must be at least 0').optional(),
  deviceType: z.enum(['mouse', 'pen', 'touch'], 'must be mouse, pen, touch').optional(),
};

/** The steps of a Chrome DevTools Recorder user flow by their type. Source: puppeteer/replay, src/Schema.ts at 4.0.2. */
export const recorderSteps = {
  navigate: z.looseObject({ ...everyStep, url: text }),
  click: z.looseObject(click),
  doubleClick: z.looseObject(click),
  hover: z.looseObject(onElement),
  change: z.looseObject({ ...onElement, value: text }),
  keyDown: z.looseObject({ ...everyStep, key: text }),
  keyUp: z.looseObject({ ...everyStep, key: text }),
  scroll: z.looseObject({
    ...everyStep,
    selectors: selectors.optional(),
    x: number.optional(),
    y: number.optional(),
  }),
  setViewport: z.looseObject({
    ...everyStep,
    width: number,
    height: number,
    deviceScaleFactor: number.optional(),
    isMobile: flag.optional(),
    hasTouch: flag.optional(),
    isLandscape: flag.optional(),
  }),
  emulateNetworkConditions: z.looseObject({
    ...everyStep,
    download: number,
    upload: number,
    latency: number,
  }),
  waitForElement: z.looseObject({
    ...onElement,
    operator: z.enum(['>=', '==', '<='], 'must be >=, ==, <=').optional(),
    count: number.optional(),
    visible: flag.optional(),
    properties: z.record(z.string(), z.unknown(), 'must be an object').optional(),
    attributes: z.record(z.string(), text, 'must be an object').optional(),
  }),
  waitForExpression: z.looseObject({ ...everyStep, expression: text }),
  close: z.looseObject(everyStep),
  customStep: z.looseObject({ ...everyStep, name: text.optional(), parameters: z.unknown().optional() }),
} as const;

/** Name of a step type of the Recorder. */
type RecorderType = keyof typeof recorderSteps;

/** A step as the Recorder writes it. */
export type RecorderStep = {
  [Type in RecorderType]: { type: Type; at: number } & z.output<(typeof recorderSteps)[Type]>;
}[RecorderType];

/** The flow around the steps. */
export const recorderFlow = z.looseObject(
  {
    title: z.string('is missing'),
    timeout: milliseconds.optional(),
    selectorAttribute: text.optional(),
    steps: z.array(z.looseObject({ type: z.string('is missing') }, 'must be an object'), 'must be a list'),
  },
  'must be an object',
);
