import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';
import { AWS } from '../../sinks/spec-parts.ts';

const Name = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', description });
const Ms = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, description });

const SqliteStore = strictObject({
  type: Type.Literal('sqlite'),
  file: Type.String({
    minLength: 1,
    description: 'For servers of one box; never on a network file system. Relative to this file',
  }),
});

const DynamoStore = strictObject({
  type: Type.Literal('dynamodb'),
  table: Type.String({
    pattern: '^[A-Za-z0-9_.-]{3,255}$',
    description: 'With the key p (partition) and s (sort), both texts',
  }),
  fleet: defaulted(Name('Fleets of other names may share the table'), 'default'),
  createTable: defaulted(
    Type.Boolean({ description: 'Make the table where there is none; else Terraform does' }),
    false,
  ),
  ...AWS,
});

const LEASE_DEFAULTS = { leaseMs: 10_000, beatMs: 3_000, marginMs: 2_000, pollMs: 2_000 };

/** One of several boxes that share streams. Left out: the server runs its own streams alone. */
export const FleetConfig = strictObject(
  {
    node: Name('Name of this box; the same again after a restart'),
    store: Type.Union([SqliteStore, DynamoStore]),
    capacity: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 4096,
        description: 'Cores for streams; default: the box’s, times admission.maxCpu',
      }),
    ),
    candidate: defaulted(
      Type.Boolean({ description: 'May be the one that assigns the streams' }),
      true,
    ),
    lease: defaulted(
      strictObject({
        leaseMs: defaulted(
          Ms(1_000, 600_000, 'A box that does not renew for so long is lost'),
          LEASE_DEFAULTS.leaseMs,
        ),
        beatMs: defaulted(Ms(100, 200_000, 'How often it renews'), LEASE_DEFAULTS.beatMs),
        marginMs: defaulted(
          Ms(100, 300_000, 'So long before its lease ends a box takes no more output'),
          LEASE_DEFAULTS.marginMs,
        ),
        pollMs: defaulted(Ms(100, 60_000, 'How often it looks what to run'), LEASE_DEFAULTS.pollMs),
      }),
      LEASE_DEFAULTS,
    ),
    threshold: defaulted(
      Type.Number({
        minimum: 0.02,
        maximum: 1,
        description: 'Streams are moved for balance from and to boxes this share off the mean',
      }),
      0.1,
    ),
    dampening: defaulted(
      Type.Number({ minimum: 0.1, maximum: 1, description: 'Share of it that is moved at once' }),
      0.6,
    ),
    restMs: defaulted(
      Ms(0, 3_600_000, 'A stream that was moved for balance stays so long'),
      60_000,
    ),
  },
  { description: 'Streams shared with other boxes' },
);
export type FleetConfig = Static<typeof FleetConfig>;

/** What is wrong with the times of the lease; undefined when nothing is. */
export function leaseProblem({ lease }: FleetConfig): string | undefined {
  const { leaseMs, beatMs, marginMs } = lease;
  if (leaseMs < 2 * beatMs) return 'must be at least twice "beatMs"';
  if (marginMs + beatMs >= leaseMs) return 'must be more than "beatMs" and "marginMs" together';
  return undefined;
}
