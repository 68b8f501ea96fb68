/**
 * A wire between two nodes that can be cut: connections through it are forwarded until `cut`, which
 * ends them and lets new ones hang unanswered, as a switched-off router would; `freeze` lets them
 * stand and carries nothing.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

type State = 'open' | 'frozen' | 'cut';

export class LinkProxy {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #state: State = 'open';

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(targetPort: number): Promise<LinkProxy> {
    const proxy = new LinkProxy(targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', () => resolve());
    });
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy is closed');
    return address.port;
  }

  cut(): void {
    this.#state = 'cut';
    for (const socket of this.#sockets) socket.destroy();
  }

  freeze(): void {
    this.#state = 'frozen';
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    const former = this.#state;
    this.#state = 'open';
    // What hung unanswered would hang for ever: whoever dialled dials again.
    if (former === 'cut') for (const socket of this.#sockets) socket.destroy();
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    this.#keep(near);
    if (this.#state === 'cut') return;
    const far = connect(this.#targetPort, '127.0.0.1');
    this.#keep(far);
    this.#carry(near, far);
    this.#carry(far, near);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    // `close` follows; a cut is what we are here for.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #carry(from: Socket, to: Socket): void {
    from.on('data', (bytes: Buffer) => to.write(bytes));
    from.on('close', () => to.destroy());
    if (this.#state === 'frozen') from.pause();
  }
}
