/** The classes of typed arrays that values and literals can have: those of numbers, and those of bigints. */
export const NUMBER_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
] as const;

export const BIGINT_ARRAYS = [BigInt64Array, BigUint64Array] as const;
