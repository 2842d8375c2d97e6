// A room: one broker in a Durable Object, and the WebSockets that the runtime holds for it. Knows no MQTT.

import { DurableObject } from 'cloudflare:workers';
import { Broker, type BrokerOptions, type Transport } from 'mqlite';
import { Alarm } from './alarm.js';
import type { Environment } from './environment.js';

// WebSocket close codes.
const UNSUPPORTED_DATA = 1003;
const SERVICE_RESTART = 1012;

/** One broker for all WebSockets that are opened to this object. */
export class MqttBroker extends DurableObject<Environment> {
  protected broker!: Broker;
  readonly #alarm: Alarm;
  readonly #transports = new Map<WebSocket, Transport>();
  #awake: ReturnType<typeof setInterval> | null = null;

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    const { clock = Date.now, ...options } = this.options();
    this.#alarm = new Alarm(state.storage, clock);
    // Sockets that outlived the broker's sessions: told to come back.
    for (const socket of state.getWebSockets()) socket.close(SERVICE_RESTART, 'The broker was restarted.');
    state.blockConcurrencyWhile(async () => {
      this.broker = await Broker.open({ ...options, clock, timer: this.#alarm });
    });
  }

  /** What the broker is opened with. A subclass may say more, such as who is let in. */
  protected options(): Omit<BrokerOptions, 'timer'> {
    return this.env.LIMITS;
  }

  /** Upgrades a request that index.ts found good. */
  override fetch(): Response {
    const { 0: client, 1: socket } = new WebSocketPair();
    this.ctx.acceptWebSocket(socket);
    const transport: Transport = {
      send: (bytes) => socket.send(bytes),
      close: () => {
        socket.close();
        this.#release(socket);
      },
      onmessage: null,
      onclose: null,
    };
    this.#transports.set(socket, transport);
    this.#stayAwake();
    this.broker.accept(transport);
    return new Response(null, { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': 'mqtt' } });
  }

  override webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): void {
    if (typeof message === 'string') {
      // [MQTT-6.0.0-1]
      socket.close(UNSUPPORTED_DATA, 'MQTT is sent in binary messages.');
      this.#release(socket)?.onclose?.();
    } else {
      this.#transports.get(socket)?.onmessage?.({ data: message });
    }
  }

  override webSocketClose(socket: WebSocket): void {
    // With the hibernation API the answer to a Close frame is ours to give.
    socket.close();
    this.#release(socket)?.onclose?.();
  }

  override webSocketError(socket: WebSocket): void {
    this.#release(socket)?.onclose?.();
  }

  override alarm(): void {
    this.#alarm.fired();
  }

  /** What was the socket's transport, unless it was released before. */
  #release(socket: WebSocket): Transport | undefined {
    const transport = this.#transports.get(socket);
    this.#transports.delete(socket);
    this.#stayAwake();
    return transport;
  }

  // Sessions live in memory alone, and an object with a pending timer is not evicted.
  #stayAwake(): void {
    if (this.#transports.size === 0) {
      clearInterval(this.#awake);
      this.#awake = null;
    } else {
      this.#awake ??= setInterval(() => {}, 60_000);
    }
  }
}
