/**
 * Two ends in one process, for tests and local meshes. It keeps the promises of a real link and no
 * more: events come in a later turn, frames in order, `closed` once at each end.
 */
import type { Clock } from './clock.js';
import type { Link, LinkEvents, Transport } from './transport.js';

export interface MemoryTransportOptions {
  /** Shown in `health.links`. Default: `memory`. */
  readonly name?: string;
  readonly clock: Pick<Clock, 'soon'>;
  /**
   * The far end: gets its link, answers with its events, or with undefined to refuse the attempt.
   */
  readonly accept: (link: Link) => LinkEvents | undefined;
  readonly token?: string;
}

export function memoryTransport(options: MemoryTransportOptions): Transport {
  const { clock, token } = options;
  const transport: Transport = {
    name: options.name ?? 'memory',
    connect(events) {
      const wire = new Wire(clock, events);
      clock.soon(() => wire.open(options.accept));
      return () => wire.abandon();
    },
  };
  if (token === undefined) return transport;
  return { ...transport, token: (done) => clock.soon(() => done(token)) };
}

class Wire {
  readonly #clock: Pick<Clock, 'soon'>;
  #near: LinkEvents | undefined;
  #far: LinkEvents | undefined;

  constructor(clock: Pick<Clock, 'soon'>, near: LinkEvents) {
    this.#clock = clock;
    this.#near = near;
  }

  open(accept: (link: Link) => LinkEvents | undefined): void {
    if (this.#near === undefined) return;
    this.#far = accept({
      send: (frame) => this.#clock.soon(() => this.#near?.received(frame)),
      close: () => this.#close('closed by the other side', 'closed'),
    });
    if (this.#far === undefined) {
      this.#close('refused', 'refused');
      return;
    }
    this.#near.opened({
      send: (frame) => this.#clock.soon(() => this.#far?.received(frame)),
      close: () => this.#close('closed', 'closed by the other side'),
    });
  }

  /** The near end wants no more events; the far end is told as if the line were cut. */
  abandon(): void {
    this.#near = undefined;
    this.#close('', 'closed by the other side');
  }

  #close(nearReason: string, farReason: string): void {
    this.#clock.soon(() => {
      const [near, far] = [this.#near, this.#far];
      this.#near = undefined;
      this.#far = undefined;
      near?.closed(nearReason);
      far?.closed(farReason);
    });
  }
}
