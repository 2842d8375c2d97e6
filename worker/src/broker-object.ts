// A room: one broker in a Durable Object, and the WebSockets that the runtime holds for it. Knows no MQTT.

import { DurableObject } from 'cloudflare:workers';
import { Broker, type Transport } from 'mqlite';
import { Alarm } from './alarm.js';
import type { Environment } from './environment.js';

// WebSocket close codes.
const UNSUPPORTED_DATA = 1003;
const SERVICE_RESTART = 1012;

/** One broker for all WebSockets that are opened to this object. */
export class MqttBroker extends DurableObject<Environment> {
  #broker!: Broker;
  readonly #alarm: Alarm;
  readonly #transports = new Map<WebSocket, Transport>();
  #awake: ReturnType<typeof setInterval> | null = null;

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    this.#alarm = new Alarm(state.storage);
    // Sockets that outlived the broker's sessions: told to come back.
    for (const socket of state.getWebSockets()) socket.close(SERVICE_RESTART, 'The broker was restarted.');
    state.blockConcurrencyWhile(async () => {
      this.#broker = await Broker.open({ ...environment.LIMITS, timer: this.#alarm });
    });
  }

  /** Upgrades a request that {@link ./index.ts} found good. */
  override fetch(): Response {
    const { 0: client, 1: socket } = new WebSocketPair();
    this.ctx.acceptWebSocket(socket);
    const transport = transportOf(socket);
    this.#transports.set(socket, transport);
    this.#stayAwake();
    this.#broker.accept(transport);
    return new Response(null, { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': 'mqtt' } });
  }

  override webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): void {
    if (typeof message === 'string') {
      // [MQTT-6.0.0-1]
      socket.close(UNSUPPORTED_DATA, 'MQTT is sent in binary frames.');
      this.#forget(socket);
      return;
    }
    this.#transports.get(socket)?.onmessage?.({ data: message });
  }

  override webSocketClose(socket: WebSocket): void {
    // With the hibernation API the runtime leaves the answer to a Close frame to us, at every compatibility date.
    socket.close();
    this.#forget(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#forget(socket);
  }

  override alarm(): void {
    this.#alarm.fired();
  }

  #forget(socket: WebSocket): void {
    const transport = this.#transports.get(socket);
    this.#transports.delete(socket);
    this.#stayAwake();
    transport?.onclose?.();
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

function transportOf(socket: WebSocket): Transport {
  return {
    send: (bytes) => socket.send(bytes),
    close: () => socket.close(),
    onmessage: null,
    onclose: null,
  };
}
