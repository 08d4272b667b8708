/** What is done when streams cost more than the box has. */
export const ADMISSION_POLICIES = ['reject', 'degrade', 'off'] as const;

export interface AdmissionSettings {
  /**
   * `reject`: a new stream that does not fit is refused. `degrade` (the default): every stream is taken, and the detector
   * of those with the least priority passes over more frames. `off`: neither.
   */
  readonly policy: (typeof ADMISSION_POLICIES)[number];
  /** Share of the cores that streams may use, 0.1 to 1. Default 0.9. */
  readonly maxCpu: number;
}

export const ADMISSION_DEFAULTS: AdmissionSettings = { policy: 'degrade', maxCpu: 0.9 };
