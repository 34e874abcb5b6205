/** Injects the validated configuration. */
export const CONFIG = Symbol('Config');
