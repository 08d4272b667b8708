/** How long rtspsrc waits for an answer or, with UDP, for a packet: 5 s. */
export const TIMEOUT_US = 5_000_000;
