/** What a DeepStream release was made with, from its release notes. */
export interface DeepStreamRelease {
  readonly version: string;
  /** Oldest driver on x86 and SBSA; undefined where the notes were not read. */
  readonly driver?: string;
  readonly cuda: string;
  readonly tensorRt: string;
  readonly jetpack: string;
  /** Jetson Linux. */
  readonly l4t: string;
  readonly jetsons: readonly ('orin' | 'thor')[];
}

/** Newest first. */
export const RELEASES: readonly DeepStreamRelease[] = [
  {
    version: '9.1',
    driver: '595.58.03',
    cuda: '13.2',
    tensorRt: '10.16.1',
    jetpack: '7.2',
    l4t: '39.2',
    jetsons: ['orin', 'thor'],
  },
  {
    version: '9.0',
    driver: '590',
    cuda: '13.1',
    tensorRt: '10.14.1',
    jetpack: '7.1',
    l4t: '38.4',
    jetsons: ['thor'],
  },
  {
    version: '8.0',
    cuda: '12.8',
    tensorRt: '10.9.0',
    jetpack: '7.0',
    l4t: '38.2',
    jetsons: ['thor'],
  },
  {
    version: '7.1',
    cuda: '12.6',
    tensorRt: '10.3.0',
    jetpack: '6.1',
    l4t: '36.4',
    jetsons: ['orin'],
  },
];

/** DeepStream 9.0 moved the fields of NvDsObjectMeta: what is built for 9.x reads older batches wrong. */
export const OLDEST_DEEPSTREAM = '9.0';

export function releaseOf(version: string): DeepStreamRelease | undefined {
  const wanted = version.split('.').slice(0, 2).join('.');
  return RELEASES.find((release) => release.version === wanted);
}

/** Negative when `a` is older than `b`; numbers between dots, missing ones are 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let index = 0; index < Math.max(left!.length, right!.length); index += 1) {
    const difference = (left![index] ?? 0) - (right![index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
