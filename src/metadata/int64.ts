/** 64 bits as protobufjs decodes them: two halves, or a number. */
type Halves = { readonly low: number; readonly high: number } | number | null;

/** An uint64; 0 where there is none. */
export function unsigned(value: unknown): bigint {
  return BigInt.asUintN(64, bits(value as Halves | undefined));
}

/** An int64; 0 where there is none. */
export function signed(value: unknown): bigint {
  return BigInt.asIntN(64, bits(value as Halves | undefined));
}

function bits(value: Halves | undefined): bigint {
  if (value === undefined || value === null) return 0n;
  if (typeof value === 'number') return BigInt(value);
  return (BigInt(value.high | 0) << 32n) | BigInt(value.low >>> 0);
}
