/** What Chromium gives a page that is isolated and started with --expose-gc. */
interface Performance {
  measureUserAgentSpecificMemory(): Promise<{ readonly bytes: number }>;
}

// eslint-disable-next-line no-var -- a property of the global object is declared with var.
declare var gc: (() => void) | undefined;
