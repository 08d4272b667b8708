import { type Static, Type } from 'typebox';
import { SightlineError } from '../../../common/errors.ts';
import { defaulted, strictObject } from '../../../common/schema.ts';
import type { PropertyValue } from '../../graph.ts';

export const PLATFORM_NAMES = ['dgpu', 'jetson', 'orin-nano', 'sbsa'] as const;
export type PlatformName = (typeof PLATFORM_NAMES)[number];
export const DEEPSTREAM_VERSIONS = ['9.1', '9.0'] as const;
export type DeepStreamVersion = (typeof DEEPSTREAM_VERSIONS)[number];

const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

/** One element of a graph on one platform. `$name` in a value stands for what the pipeline asks (see `Settings`). */
const Part = strictObject({
  factory: Type.String({ pattern: '^[a-z][a-z0-9]+$' }),
  properties: defaulted(
    Type.Record(Type.String(), Value, { description: 'What this platform sets on it' }),
    {},
  ),
  caps: Type.Optional(
    Type.String({ description: 'What must flow into it; a converter stands before it then' }),
  ),
});
export type Part = Static<typeof Part>;

/** Versions of what is installed with one DeepStream version; left out where NVIDIA's tables do not say. */
const Release = strictObject({
  cuda: Type.Optional(Type.String()),
  tensorrt: Type.Optional(Type.String()),
  system: Type.String({ description: 'Driver or JetPack it needs, for people' }),
  note: Type.Optional(Type.String({ description: 'What to know before using it' })),
});

const PlatformSchema = strictObject({
  title: Type.String(),
  architecture: Type.String({ description: 'As `uname -m` gives it' }),
  libraryDir: Type.String({ description: "Folder of DeepStream's shared libraries" }),
  gpus: Type.Integer({ minimum: 1, description: 'Largest number of GPUs' }),
  releases: Type.Record(Type.String(), Release, { description: 'By DeepStream version' }),
  parts: strictObject({
    source: Part,
    decode: Part,
    decodeJpeg: Part,
    muxOld: Part,
    muxNew: Part,
    infer: Part,
    inferServer: Part,
    track: Part,
    analytics: Part,
    convert: Part,
    demux: Part,
    tile: Part,
    draw: Part,
    encodeImage: Part,
    encodeVideo: Part,
    serveVideo: Part,
  }),
});
export type PlatformData = Static<typeof PlatformSchema> & { readonly name: PlatformName };
export type PartName = keyof PlatformData['parts'];

/** Schema of `configs/deepstream/platforms.json`. */
export const PlatformsSchema = strictObject({
  dgpu: PlatformSchema,
  jetson: PlatformSchema,
  'orin-nano': PlatformSchema,
  sbsa: PlatformSchema,
});
export type Platforms = Static<typeof PlatformsSchema>;

/** Picks a platform out of the table. */
export function platformOf(platforms: Platforms, name: PlatformName): PlatformData {
  return { ...platforms[name], name };
}

/** What `$name` stands for in the properties of a part. */
export interface Settings {
  readonly gpuId: number;
  /** JPEG quality, 1 to 100. */
  readonly quality?: number;
  readonly bitrateKbps?: number;
  /** The same in bit/s. */
  readonly bitrate?: number;
}

/**
 * The properties a platform sets on one of its parts, filled in.
 *
 * @throws SightlineError `SL_INTERNAL` where the table uses a name that is not set for this part.
 */
export function partProperties(
  { name, parts }: PlatformData,
  part: PartName,
  settings: Settings,
): Readonly<Record<string, PropertyValue>> {
  const fill = (value: PropertyValue): PropertyValue => {
    if (typeof value !== 'string' || !value.startsWith('$')) return value;
    const setting = settings[value.slice(1) as keyof Settings];
    if (setting !== undefined) return setting;
    const message = `Cannot use the table of DeepStream platforms: ${name}.${part} holds ${value}, which is not set there`;
    throw new SightlineError('SL_INTERNAL', message);
  };
  const entries = Object.entries(parts[part].properties);
  return Object.fromEntries(entries.map(([key, value]) => [key, fill(value)]));
}
