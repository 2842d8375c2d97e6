// The shapes that MQTT.js gives its options, packets and callbacks, as far as they are covered. Bytes are no Buffer.

import type { Bytes } from './bytes.js';
import type { MqttClient } from './client.js';

export type QoS = 0 | 1 | 2;

/** Names that repeat have a list of values. */
export interface UserProperties {
  [name: string]: string | string[];
}

interface MessageProperties {
  payloadFormatIndicator?: boolean | undefined;
  /** Seconds. */
  messageExpiryInterval?: number | undefined;
  responseTopic?: string | undefined;
  correlationData?: Uint8Array | string | undefined;
  userProperties?: UserProperties | undefined;
  contentType?: string | undefined;
}

/** What a client is told when it is made; `mqlite`'s documentation of this entry says what becomes of each. */
export interface IClientOptions {
  /** Where to connect to, if there is no URL: `ws` or `wss`. */
  protocol?: MqttProtocol | undefined;
  defaultProtocol?: MqttProtocol | undefined;
  host?: string | undefined;
  hostname?: string | undefined;
  port?: number | string | undefined;
  path?: string | undefined;
  /** `user:password`. */
  auth?: string | undefined;
  query?: { [name: string]: string } | undefined;
  /** Tried one after the other. */
  servers?: { host: string; port: number; protocol?: MqttProtocol | undefined; path?: string | undefined }[] | undefined;
  /** Default `mqttjs_` and eight digits. */
  clientId?: string | undefined;
  /** 4 is MQTT 3.1.1, 5 is MQTT 5.0. Default 4. */
  protocolVersion?: 4 | 5 | 3 | undefined;
  protocolId?: 'MQTT' | 'MQIsdp' | undefined;
  /** Default true. */
  clean?: boolean | undefined;
  /** Seconds. Default 60. */
  keepalive?: number | undefined;
  username?: string | undefined;
  password?: string | Uint8Array | undefined;
  will?:
    | {
        topic: string;
        payload: string | Uint8Array;
        qos?: QoS | undefined;
        retain?: boolean | undefined;
        properties?: (MessageProperties & { willDelayInterval?: number | undefined }) | undefined;
      }
    | undefined;
  /** MQTT 5 only. */
  properties?:
    | {
        sessionExpiryInterval?: number | undefined;
        receiveMaximum?: number | undefined;
        maximumPacketSize?: number | undefined;
        topicAliasMaximum?: number | undefined;
        requestResponseInformation?: boolean | undefined;
        requestProblemInformation?: boolean | undefined;
        userProperties?: UserProperties | undefined;
      }
    | undefined;
  /** Milliseconds between two attempts; 0 is none. Default 1,000. */
  reconnectPeriod?: number | undefined;
  /** Whether to try again after the server refused. Default false. */
  reconnectOnConnackError?: boolean | undefined;
  /** Milliseconds. Default 30,000. */
  connectTimeout?: number | undefined;
  /** Whether to subscribe again when the server has no session. Default true. */
  resubscribe?: boolean | undefined;
  /** Whether QoS 0 messages wait for a connection. Default true. */
  queueQoSZero?: boolean | undefined;
  /** Whether to wait for `connect()`. Default false. */
  manualConnect?: boolean | undefined;
  /** Asked for the address at each attempt. */
  transformWsUrl?: ((url: string, options: IClientOptions, client: MqttClient) => string) | undefined;
  /** Makes the WebSocket of each attempt. */
  createWebsocket?: ((url: string, websocketSubProtocols: string[], options: IClientOptions) => any) | undefined;
  /** Of no effect here: how MQTT.js does its work. */
  reschedulePings?: boolean | undefined;
  writeCache?: boolean | undefined;
  timerVariant?: unknown;
  browserBufferSize?: number | undefined;
  browserBufferTimeout?: number | undefined;
  objectMode?: boolean | undefined;
  forceNativeWebSocket?: boolean | undefined;
  subscribeBatchSize?: number | null | undefined;
  autoUseTopicAlias?: boolean | undefined;
  autoAssignTopicAlias?: boolean | undefined;
  log?: ((...values: any[]) => void) | undefined;
  /** `true` is what a WebSocket does anyway; `false` is refused. */
  rejectUnauthorized?: boolean | undefined;
}

/** Of these, `ws` and `wss` are covered. */
export type MqttProtocol = 'wss' | 'ws' | 'mqtt' | 'mqtts' | 'tcp' | 'ssl' | 'wx' | 'wxs' | 'ali' | 'alis';

export interface IClientPublishOptions {
  qos?: QoS | undefined;
  retain?: boolean | undefined;
  /** Of no effect: the client knows when a message may be a duplicate. */
  dup?: boolean | undefined;
  properties?: (MessageProperties & { topicAlias?: number | undefined }) | undefined;
  /** Called when a message of QoS 1 or 2 was taken into the queue. */
  cbStorePut?: (() => void) | undefined;
}

export interface IClientSubscribeProperties {
  properties?: { userProperties?: UserProperties | undefined } | undefined;
}

export interface IClientSubscribeOptions extends IClientSubscribeProperties {
  qos: QoS;
  /** No Local. */
  nl?: boolean | undefined;
  /** Retain As Published. */
  rap?: boolean | undefined;
  /** Retain Handling. */
  rh?: number | undefined;
}

export interface ISubscriptionRequest extends IClientSubscribeOptions {
  topic: string;
}

export interface ISubscriptionGrant extends Omit<ISubscriptionRequest, 'qos' | 'properties'> {
  qos: QoS | 128;
}

export type ISubscriptionMap = { [topic: string]: IClientSubscribeOptions } & { resubscribe?: boolean };

export interface IClientUnsubscribeProperties {
  properties?: { userProperties?: UserProperties | undefined } | undefined;
}

/** What every packet has. */
export interface IPacket {
  cmd: string;
  /** Counted here: it is not the Packet Identifier that was sent. */
  messageId?: number;
}

/** A packet that was sent or came: what it is, and what it says as text. */
export interface IPacketOnWire extends IPacket {
  /** Bytes. */
  length: number;
  /** One line. Passwords are not in it. */
  text: string;
}

export interface IPublishPacket extends IPacket {
  cmd: 'publish';
  qos: QoS;
  dup: boolean;
  retain: boolean;
  topic: string;
  payload: string | Bytes;
  properties?: Omit<MessageProperties, 'correlationData'> & { correlationData?: Bytes | undefined };
}

export interface IConnackPacket extends IPacket {
  cmd: 'connack';
  /** In MQTT 3.1.1. */
  returnCode?: number;
  /** In MQTT 5. */
  reasonCode?: number;
  sessionPresent: boolean;
  properties?: IServerProperties;
}

/** What an MQTT 5 server said when it accepted the connection. */
export interface IServerProperties {
  sessionExpiryInterval?: number;
  receiveMaximum?: number;
  maximumQoS?: number;
  retainAvailable?: boolean;
  maximumPacketSize?: number;
  assignedClientIdentifier?: string;
  topicAliasMaximum?: number;
  reasonString?: string;
  userProperties?: UserProperties;
  wildcardSubscriptionAvailable?: boolean;
  subscriptionIdentifiersAvailable?: boolean;
  sharedSubscriptionAvailable?: boolean;
  serverKeepAlive?: number;
  responseInformation?: string;
  serverReference?: string;
}

export interface ISubackPacket extends IPacket {
  cmd: 'suback';
  granted: number[];
}

export interface IUnsubackPacket extends IPacket {
  cmd: 'unsuback';
}

export interface IPubrelPacket extends IPacket {
  cmd: 'pubrel';
}

export interface IDisconnectPacket extends IPacket {
  cmd: 'disconnect';
  reasonCode?: number;
  properties?: { sessionExpiryInterval?: number | undefined } | undefined;
}

export type Packet =
  | IPublishPacket
  | IConnackPacket
  | ISubackPacket
  | IUnsubackPacket
  | IPubrelPacket
  | IDisconnectPacket;

export type OnConnectCallback = (packet: IConnackPacket) => void;
export type OnDisconnectCallback = (packet: IDisconnectPacket) => void;
export type OnPacketCallback = (packet: IPacketOnWire) => void;
export type OnMessageCallback = (topic: string, payload: Bytes, packet: IPublishPacket) => void;
export type OnErrorCallback = (error: Error) => void;
export type OnCloseCallback = () => void;
export type VoidCallback = () => void;
export type DoneCallback = (error?: Error) => void;
export type CloseCallback = (error?: Error) => void;
export type PacketCallback = (error?: Error | null, packet?: Packet) => any;
export type ClientSubscribeCallback = (error: Error | null, granted?: ISubscriptionGrant[], packet?: ISubackPacket) => void;

export interface MqttClientEventCallbacks {
  connect: OnConnectCallback;
  message: OnMessageCallback;
  disconnect: OnDisconnectCallback;
  error: OnErrorCallback;
  close: OnCloseCallback;
  end: VoidCallback;
  reconnect: VoidCallback;
  offline: VoidCallback;
  packetsend: OnPacketCallback;
  packetreceive: OnPacketCallback;
}
