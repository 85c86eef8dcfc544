// Whether this browser can run the module of this device.

// A module with one function, which returns a vector: () -> v128, i32.const 0, i8x16.splat.
const VECTOR_MODULE = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];

/** Whether WebAssembly with 128-bit vectors is available; a content security policy can forbid it. */
export function canRunHere() {
  try {
    return WebAssembly.validate(new Uint8Array(VECTOR_MODULE)) && typeof Worker === 'function';
  } catch {
    return false;
  }
}
