import { Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../../common/schema.ts';
import { ADMISSION_DEFAULTS, ADMISSION_POLICIES } from '../../control/admission/settings.ts';

const atLeast = (minimum: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, description }));

/** How worker processes are watched. */
export const WorkersConfig = strictObject(
  {
    heartbeatMs: defaulted(
      Type.Integer({
        minimum: 2_000,
        maximum: 600_000,
        description: 'A worker that says nothing for so long hangs, and is ended',
      }),
      10_000,
    ),
    spare: defaulted(
      Type.Boolean({ description: 'A started worker waits for the next pipeline that needs one' }),
      true,
    ),
    recycleEveryMs: defaulted(
      Type.Integer({
        minimum: 10_000,
        description: 'A worker over its budget is replaced, without a gap, no more often',
      }),
      600_000,
    ),
    budget: defaulted(
      strictObject({
        rssBytes: atLeast(64 * 1024 ** 2, 'Memory; default 1 GiB, and 512 MiB for each stream'),
        threads: atLeast(16, 'Default 128, and 64 for each stream'),
        fds: atLeast(32, 'Open files; default 256, and 64 for each stream'),
      }),
      {},
    ),
  },
  { description: 'Supervision of the worker processes' },
);
export const WORKERS_DEFAULTS = {
  heartbeatMs: 10_000,
  spare: true,
  recycleEveryMs: 600_000,
  budget: {},
};

/** What streams may cost. */
export const AdmissionConfig = strictObject(
  {
    policy: defaulted(
      oneOf(ADMISSION_POLICIES, {
        description:
          'reject: a new stream that does not fit is refused; degrade: the detector of those with the least priority passes over more frames; off',
      }),
      ADMISSION_DEFAULTS.policy,
    ),
    maxCpu: defaulted(
      Type.Number({ minimum: 0.1, maximum: 1, description: 'Share of the cores for streams' }),
      ADMISSION_DEFAULTS.maxCpu,
    ),
  },
  { description: 'What happens when streams cost more than the box has' },
);
