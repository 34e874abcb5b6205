import { RawConnection } from '../../verify/load/raw-connection.js';

/** A connection that sends whatever it is told to, and keeps every text that came. */
export class RawSocket {
  readonly texts: string[] = [];
  private listener: (text: string) => void = () => undefined;

  private constructor(readonly connection: RawConnection) {
    connection.onText = (text) => {
      this.texts.push(text);
      this.listener(text);
    };
  }

  /** @throws when it is not upgraded */
  static async open(url: string): Promise<RawSocket> {
    const connection = await RawConnection.open(url);
    if (connection === undefined) throw new Error(`${url} does not upgrade`);
    return new RawSocket(connection);
  }

  /** Through the handshake of Socket.IO. @throws when it is refused */
  static async connect(url: string, token: string): Promise<RawSocket> {
    const socket = await RawSocket.open(url);
    const ready = socket.until((text) => text.startsWith('42["session:ready"') || text.startsWith('44'));
    socket.connection.send(`40${JSON.stringify({ token })}`);
    const text = await ready;
    if (text.startsWith('44')) throw new Error(text);
    return socket;
  }

  get closed(): Promise<void> {
    return this.connection.closed;
  }

  /** The next text of which this holds. @throws when the connection ends before */
  until(condition: (text: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      this.listener = (text) => {
        if (condition(text)) resolve(text);
      };
      void this.closed.then(() => reject(new Error('The connection was closed')));
    });
  }
}
