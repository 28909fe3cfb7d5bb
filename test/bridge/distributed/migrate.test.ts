import { expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../../../src/demo/child-program.ts';
import { backendDatabase } from '../../support/backend-database.ts';
import { bridgeProgram, programEnv } from '../../support/system.ts';

const settings = {
  REDIS_URL: 'redis://127.0.0.1:1',
  WORKER_SECRET: 'test-worker-secret-0123456789',
  QUALINET_ADMIN_TOKEN: 'test-operator-token-0123456789',
};

it.each([1, 2, 3])(
  'four processes that migrate an empty database at once all succeed, and one of them does it (round %i)',
  async () => {
    const database = await backendDatabase();
    onTestFinished(() => database.drop());
    const env = programEnv({ DATABASE_URL: database.url, ...settings });
    const programs = Array.from({ length: 4 }, () => startProgram(bridgeProgram, ['migrate'], { env }));
    const codes = await Promise.all(programs.map(({ ended }) => ended));
    const said = programs.map((program) => program.said());
    expect(codes, said.join('\n')).toEqual([0, 0, 0, 0]);
    expect(said.filter((text) => text.includes('was brought up to date'))).toHaveLength(1);
    expect(said.filter((text) => text.includes('is up to date'))).toHaveLength(3);
  },
);
