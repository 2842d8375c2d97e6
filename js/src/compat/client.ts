// A client with the interface of MQTT.js's: events and callbacks around a client of this package.

import { MqttError } from '../error.js';
import type { Client } from '../client.js';
import type { Message } from '../message.js';
import { openSocket, toUrl } from './address.js';
import { Bytes } from './bytes.js';
import { type Connect, Connection } from './connection.js';
import { Emitter, unguarded } from './emitter.js';
import { ErrorWithSubackPacket, refusedConnection } from './errors.js';
import { known, type KnownOptions, toConnectOptions } from './options.js';
import { Outgoing } from './outgoing.js';
import { answer, connackPacket } from './packets.js';
import { fromMessageProperties } from './properties.js';
import { Subscriptions } from './subscriptions.js';
import { toFilters, toGrant, toRequests } from './topics.js';
import type {
  ClientSubscribeCallback,
  DoneCallback,
  IClientOptions,
  IClientPublishOptions,
  IClientSubscribeOptions,
  IClientSubscribeProperties,
  IClientUnsubscribeProperties,
  IDisconnectPacket,
  IPublishPacket,
  IServerProperties,
  ISubackPacket,
  ISubscriptionGrant,
  ISubscriptionMap,
  MqttClientEventCallbacks,
  Packet,
  PacketCallback,
} from './types.js';

type SubscribeOptions = Partial<IClientSubscribeOptions> | IClientSubscribeProperties;

/** The client of an application that was written for MQTT.js. */
export class MqttClient extends Emitter<MqttClientEventCallbacks> {
  connected = false;
  /** Whether `end()` was called. */
  disconnecting = false;
  /** Whether it has ended. */
  disconnected = false;
  reconnecting = false;
  readonly options: IClientOptions;
  queueQoSZero: boolean;
  readonly #known: KnownOptions;
  readonly #open: Connect;
  readonly #outgoing: Outgoing;
  readonly #subscriptions: Subscriptions;
  #connection: Connection | undefined;
  /** Of the attempt that was made last. */
  #attempt = -1;
  /** Whether an attempt is under way, or there is a connection. */
  #isBusy = false;
  /** Whether the server refused the last attempt: `close` is told when the application ends the client. */
  #isRefused = false;
  /** Whether somebody listens, or has listened, to packets. */
  #isTapped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #serverProperties: IServerProperties | undefined;
  readonly #atEnd: DoneCallback[] = [];
  /** Ends the waiting for what is under way: the connection is gone. */
  #stopWaiting = () => {};

  /** Made by `connect`. @internal */
  constructor(open: Connect, options: IClientOptions) {
    super();
    this.#open = open;
    this.#known = known(options);
    this.options = this.#known;
    this.queueQoSZero = this.#known.queueQoSZero;
    toUrl(options, 0); // at once: it may be refused
    const connection = () => this.#connection;
    this.#outgoing = new Outgoing(connection);
    this.#subscriptions = new Subscriptions(connection);
    if (!this.#known.manualConnect) this.connect();
  }

  /** What an MQTT 5 server said when it accepted the connection. */
  get serverProperties(): IServerProperties | undefined {
    return this.#serverProperties;
  }

  /** Seconds: the server's, where it names one, else that of the options. */
  get keepalive(): number {
    const { keepalive } = this.#known;
    return (keepalive && this.#serverProperties?.serverKeepAlive) || keepalive;
  }

  /** Connects: needed only with `manualConnect`. */
  connect(): this {
    if (!this.#connection || this.#connection.isOver) this.#begin();
    return this;
  }

  /** Connects again: now, if it waits to try again, and also after `end()`. */
  reconnect(): this {
    if (this.connected || (this.disconnecting && !this.disconnected)) return this.end(() => this.reconnect());
    if (this.#isBusy) return this;
    clearTimeout(this.#timer);
    this.#tell('reconnect');
    if (!this.#connection || this.#connection.isOver) this.#begin();
    else this.#allow(this.#connection);
    return this;
  }

  publish(topic: string, message: string | Uint8Array, callback?: PacketCallback): this;
  publish(topic: string, message: string | Uint8Array, options?: IClientPublishOptions, callback?: PacketCallback): this;
  publish(topic: string, message: string | Uint8Array, ...rest: unknown[]): this {
    const [options, callback] = trailing<IClientPublishOptions, PacketCallback>(rest);
    if (this.disconnecting) return this.#later(callback, ending());
    const { qos = 0 } = options;
    if (qos === 0 && !this.connected && !this.queueQoSZero) {
      return this.#later(callback, new MqttError('closed', 'There is no connection, and the message is not to wait for one.'));
    }
    this.#outgoing.add(topic, message, options, { isConnected: this.connected, callback });
    return this;
  }

  publishAsync(topic: string, message: string | Uint8Array, options?: IClientPublishOptions): Promise<Packet | undefined> {
    return promise((callback) => this.publish(topic, message, options, callback));
  }

  subscribe(topics: string | string[] | ISubscriptionMap, callback?: ClientSubscribeCallback): this;
  subscribe(topics: string | string[] | ISubscriptionMap, options?: SubscribeOptions, callback?: ClientSubscribeCallback): this;
  subscribe(topics: string | string[] | ISubscriptionMap, ...rest: unknown[]): this {
    const [options, callback] = trailing<SubscribeOptions, ClientSubscribeCallback>(rest);
    if (this.disconnecting) return this.#later(callback, ending());
    try {
      const requests = toRequests(topics, options, this.#known.protocolVersion);
      const wanted = requests.filter((request) => !this.#subscriptions.has(request));
      if (wanted.length === 0) return this.#later(callback, null, []);
      this.#subscriptions.add(wanted, (error, reasons) => {
        const asked = wanted.map((request) => toGrant(request, request.qos));
        if (!reasons) return callback?.(error as Error, asked, undefined);
        const packet = answer<ISubackPacket>('suback', { messageId: this.#outgoing.nextId(), granted: reasons });
        if (error) return callback?.(new ErrorWithSubackPacket(error.message, packet), asked, packet);
        callback?.(null, wanted.map((request, index) => toGrant(request, reasons[index] as number)), packet);
      });
      return this;
    } catch (error) {
      return this.#later(callback, error as Error);
    }
  }

  subscribeAsync(topics: string | string[] | ISubscriptionMap, options?: SubscribeOptions): Promise<ISubscriptionGrant[]> {
    return promise((callback) => this.subscribe(topics, options, callback));
  }

  unsubscribe(topics: string | string[], callback?: PacketCallback): this;
  unsubscribe(topics: string | string[], options?: IClientUnsubscribeProperties, callback?: PacketCallback): this;
  unsubscribe(topics: string | string[], ...rest: unknown[]): this {
    const [{ properties }, callback] = trailing<IClientUnsubscribeProperties, PacketCallback>(rest);
    if (this.disconnecting) return this.#later(callback, ending());
    try {
      if (properties) throw new MqttError('invalid-options', 'The properties of an UNSUBSCRIBE are not covered.');
      this.#subscriptions.remove(toFilters(topics), (error) => {
        if (error) callback?.(error);
        else callback?.(null, answer('unsuback', { messageId: this.#outgoing.nextId() }));
      });
      return this;
    } catch (error) {
      return this.#later(callback, error as Error);
    }
  }

  unsubscribeAsync(topics: string | string[], options?: IClientUnsubscribeProperties): Promise<Packet | undefined> {
    return promise((callback) => this.unsubscribe(topics, options, callback));
  }

  /**
   * Ends the client. Without `force` it waits until the messages under way are acknowledged, and says goodbye; with it, it does
   * neither, and the server publishes the will.
   */
  end(callback?: DoneCallback): this;
  end(force?: boolean, callback?: DoneCallback): this;
  end(options?: Partial<IDisconnectPacket>, callback?: DoneCallback): this;
  end(force?: boolean, options?: Partial<IDisconnectPacket>, callback?: DoneCallback): this;
  end(...said: unknown[]): this {
    const force = said.find((value) => typeof value === 'boolean') ?? false;
    const options = (said.find((value) => typeof value === 'object' && value !== null) ?? {}) as Partial<IDisconnectPacket>;
    const callback = said.find((value) => typeof value === 'function') as DoneCallback | undefined;
    checkDisconnect(options);
    if (this.disconnected) return this.#later(callback);
    if (callback) this.#atEnd.push(callback);
    if (this.disconnecting) return this;
    this.disconnecting = true;
    clearTimeout(this.#timer);
    void this.#end(force, options);
    return this;
  }

  async endAsync(force?: boolean | Partial<IDisconnectPacket>, options?: Partial<IDisconnectPacket>): Promise<void> {
    await promise((callback) => this.end(...([force, options, callback] as Parameters<MqttClient['end']>)));
  }

  /** Takes back a message of QoS 1 or 2 that is not acknowledged yet. Its callback is told so. */
  removeOutgoingMessage(messageId: number): this {
    this.#outgoing.remove(messageId);
    return this;
  }

  /** Of what this client sent last. Counted here: it is not the Packet Identifier that was sent. */
  getLastMessageId(): number {
    return this.#outgoing.lastId;
  }

  /** To be overridden: the message is acknowledged, and the next is taken, when `callback` is called. */
  handleMessage(_packet: IPublishPacket, callback: DoneCallback): void {
    callback();
  }

  protected override expect(event: PropertyKey): void {
    if (event === 'outgoingEmpty') throw new MqttError('unsupported', 'The event "outgoingEmpty" would never be told.');
    if (event !== 'packetsend' && event !== 'packetreceive') return;
    this.#isTapped = true;
    this.#connection?.tap();
  }

  #begin(): void {
    this.disconnecting = this.disconnected = false;
    this.#isBusy = true;
    const connection: Connection = new Connection(this.#open, toConnectOptions(this.#known), {
      address: () => {
        const address = toUrl(this.#known, (this.#attempt += 1));
        return this.#known.transformWsUrl?.(address, this.#known, this) ?? address;
      },
      openSocket: (address) => openSocket(address, this.#known),
      credentials: () => {
        const { username, password } = this.#known;
        return { ...(username !== undefined && { userName: username }), ...(password !== undefined && { password }) };
      },
      connected: (client) => connection === this.#connection && void this.#connected(connection, client),
      lost: (error, isOver) => connection === this.#connection && this.#lost(error, isOver),
      message: (message) => this.#message(message),
      packet: ({ direction, type, text, bytes }) => {
        const packet = { cmd: type.toLowerCase(), length: bytes.length, text };
        this.#tell(direction === 'sent' ? 'packetsend' : 'packetreceive', packet);
      },
    });
    this.#connection = connection;
    if (this.#isTapped) connection.tap();
    this.#subscriptions.renew();
    this.#outgoing.renew();
  }

  async #connected(connection: Connection, client: Client): Promise<void> {
    this.connected = true;
    this.reconnecting = false;
    const packet = connackPacket(client, this.#known.protocolVersion);
    this.#serverProperties = packet.properties;
    // MQTT.js has sent what waited before it tells anybody.
    for (const wait of [() => this.#outgoing.settled(), () => this.#outgoing.flush()]) {
      const waiting = wait();
      if (waiting) await waiting;
      if (connection !== this.#connection || !this.connected) return;
    }
    this.#tell('connect', packet);
  }

  /** The connection is lost, or there was none to be had. */
  #lost(error: MqttError | undefined, isOver: boolean): void {
    const { protocolVersion, reconnectPeriod, reconnectOnConnackError, resubscribe } = this.#known;
    const isRefused = error?.code === 'refused';
    const isToldByServer = this.connected && protocolVersion === 5 && error?.reason !== undefined;
    // A connection that just ends is no error, with or without a CONNACK.
    const isFailure = error?.code !== 'closed' || this.#connection?.hasHungUp;
    if (isToldByServer) this.#tell('disconnect', answer('disconnect', { reasonCode: error.reason as number }));
    this.connected = this.#isBusy = false;
    this.#serverProperties = undefined;
    if (isRefused) this.#tell('error', refusedConnection(error, protocolVersion));
    else if (error && isFailure && !isToldByServer && !this.disconnecting) this.#tell('error', error);
    this.#isRefused = isRefused && !reconnectOnConnackError;
    this.#stopWaiting();
    if (this.disconnecting || this.#isRefused) return;
    const comesBack = reconnectPeriod > 0 && !(isOver && FINAL.has(error?.code));
    if (comesBack && !this.reconnecting) {
      this.#tell('offline');
      this.reconnecting = true;
    }
    if (!resubscribe) this.#forget();
    this.#tell('close');
    this.#subscriptions.interrupt();
    if (comesBack && !this.disconnecting) this.#timer = setTimeout(() => this.#again(), reconnectPeriod);
  }

  /** The next connection is another client's, which knows of no subscription. */
  #forget(): void {
    this.#subscriptions.forget();
    this.#connection?.client.then((client) => client.end()).catch(() => {});
    this.#connection = undefined;
  }

  #again(): void {
    this.#tell('reconnect');
    if (this.disconnecting) return;
    if (!this.#connection || this.#connection.isOver) this.#begin();
    else this.#allow(this.#connection);
  }

  #allow(connection: Connection): void {
    this.#isBusy = true;
    connection.allow();
  }

  async #end(force: boolean, { reasonCode = 0, properties = {} }: Partial<IDisconnectPacket>): Promise<void> {
    const connection = this.#connection;
    const isOpen = this.#isRefused || (connection?.isOpen ?? false);
    if (this.connected && !force) {
      await Promise.race([this.#outgoing.settled(), new Promise<void>((resolve) => (this.#stopWaiting = resolve))]);
    }
    const isOpening = !isOpen && this.#isBusy;
    if (connection) {
      if (force) connection.cut();
      const client = await connection.client.catch(() => undefined);
      const { sessionExpiryInterval } = properties;
      await client
        ?.end({ reason: reasonCode, ...(sessionExpiryInterval !== undefined && { sessionExpiryInterval }) })
        .catch((error: MqttError) => this.#tell('error', error));
    }
    this.#connection = undefined;
    this.connected = this.#isBusy = this.#isRefused = false;
    this.#serverProperties = undefined;
    this.disconnected = true;
    if (isOpen) this.#tell('close');
    this.#tell('end');
    this.#subscriptions.interrupt();
    this.#outgoing.end(ending());
    for (const callback of this.#atEnd.splice(0)) unguarded(() => callback(undefined));
    if (isOpening) this.#tell('close');
  }

  #message({ topic, payload, qos, retain, dup, properties }: Message): void | Promise<void> {
    const bytes = Bytes.over(payload);
    const said = fromMessageProperties(properties);
    const packet: IPublishPacket = { cmd: 'publish', topic, payload: bytes, qos, retain, dup };
    if (said) packet.properties = said;
    this.#tell('message', topic, bytes, packet);
    let isHandled = false;
    let handled = () => {};
    unguarded(() =>
      this.handleMessage(packet, (error) => {
        if (error) this.#tell('error', error);
        isHandled = true;
        handled();
      }),
    );
    return isHandled ? undefined : new Promise((resolve) => (handled = resolve));
  }

  #tell<N extends keyof MqttClientEventCallbacks>(event: N, ...values: Parameters<MqttClientEventCallbacks[N]>): void {
    unguarded(() => this.emit(event, ...values));
  }

  #later<C extends (...values: any[]) => unknown>(callback: C | undefined, ...values: Parameters<C> | []): this {
    if (callback) queueMicrotask(() => callback(...values));
    return this;
  }
}

/** An object with options and a callback, of which either may be left out. */
function trailing<O extends object, C>([first, second]: unknown[]): [O, C | undefined] {
  if (typeof first === 'function') return [{} as O, first as C];
  return [(first ?? {}) as O, second as C | undefined];
}

/** What a callback would be told second; what it would be told first is thrown. */
function promise<T>(call: (callback: (error?: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

/** What a DISCONNECT of this client can say. */
function checkDisconnect({ properties = {} }: Partial<IDisconnectPacket>): void {
  const unknown = Object.keys(properties).find((name) => name !== 'sessionExpiryInterval');
  if (unknown) throw new MqttError('invalid-options', `The property "${unknown}" of a DISCONNECT is not covered.`);
}

function ending(): MqttError {
  return new MqttError('closed', 'The client has ended, or is about to.', { hint: 'Call reconnect(), or connect again.' });
}

/** What another attempt does not mend. */
const FINAL: ReadonlySet<string | undefined> = new Set(['unsupported', 'invalid-options', 'invalid-topic']);
