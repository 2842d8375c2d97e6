//! The host of a client, as JavaScript is to be it.

use js_sys::Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const CLIENT_HOST: &str = "
/** What a client wants done or known. No method may throw, or call the engine. Bytes and lists are valid during the call alone. */
export interface ClientHost {
  /** Write these bytes. */
  send(bytes: Uint8Array): void;
  /** Close the connection once everything sent before was written. */
  close(): void;
  /** The server accepted the connection. */
  connected(sessionPresent: boolean, clientId: string, properties: unknown): void;
  /** The server refused the connection, which is over. */
  refused(reason: number, properties: unknown): void;
  /** A message of this place has this topic, and is for these subscriptions. With the place 0 those of before are over. */
  place(place: number, topic: string, subscriptions: Uint32Array): void;
  /**
   * Messages came. Of each there are five numbers: its place, its flags, the bytes of its payload, its Packet Identifier and what is
   * to be acknowledged, the last two 0 at QoS 0. The flags are the QoS, 4 for RETAIN, 8 for DUP, 16 where `properties` have its own.
   */
  deliver(messages: Float64Array, payloads: Uint8Array, properties: unknown[] | undefined): void;
  /** The server has got these messages, or they were handed over at QoS 0, and there is nothing to be said of it. */
  published(tokens: Uint32Array): void;
  /** The server answered a request: a Reason Code for the message or for each filter. */
  answered(token: number, reasons: Uint8Array, properties: unknown): void;
  /** A request came to nothing: why, in a word and in a sentence. */
  failed(token: number, code: string, message: string): void;
  /** The server did not grant a subscription again on a connection without a session: a Reason Code, and what the server said of it. */
  subscriptionLost(subscription: number, reason: number, message: string): void;
  /** The server sent a step of enhanced authentication. */
  authenticate(reason: number, properties: unknown): void;
  /** A record is put in place of what was there, or removed where `value` is absent. Only where the engine was given records. */
  write?(key: Uint8Array, value: Uint8Array | undefined): void;
  /** What was written since the last time belongs together; what is sent from now on waits until it is durable. Beside `write`. */
  commit?(): void;
  /** A record cannot be used. Beside `write`. */
  reject?(key: Uint8Array, reason: string): void;
  /** The connection is over, and was not refused: why, in a word and in a sentence. */
  disconnected(cause: string, reason: number | undefined, message: string, properties: unknown): void;
}";

#[wasm_bindgen]
extern "C" {
    /// What the client wants done or known.
    #[wasm_bindgen(typescript_type = "ClientHost")]
    pub type ClientHost;

    #[wasm_bindgen(method)]
    pub(super) fn send(this: &ClientHost, bytes: &[u8]);

    #[wasm_bindgen(method)]
    pub(super) fn close(this: &ClientHost);

    #[wasm_bindgen(method)]
    pub(super) fn connected(this: &ClientHost, session_present: bool, client_id: &str, properties: JsValue);

    #[wasm_bindgen(method)]
    pub(super) fn refused(this: &ClientHost, reason: u8, properties: JsValue);

    #[wasm_bindgen(method)]
    pub(super) fn place(this: &ClientHost, place: u32, topic: &str, subscriptions: &[u32]);

    #[wasm_bindgen(method)]
    pub(super) fn deliver(this: &ClientHost, messages: &[f64], payloads: &[u8], properties: Option<Array>);

    #[wasm_bindgen(method)]
    pub(super) fn published(this: &ClientHost, tokens: &[u32]);

    #[wasm_bindgen(method)]
    pub(super) fn answered(this: &ClientHost, token: u32, reasons: &[u8], properties: JsValue);

    #[wasm_bindgen(method)]
    pub(super) fn failed(this: &ClientHost, token: u32, code: &str, message: &str);

    #[wasm_bindgen(method, js_name = subscriptionLost)]
    pub(super) fn subscription_lost(this: &ClientHost, subscription: u32, reason: u8, message: &str);

    #[wasm_bindgen(method)]
    pub(super) fn authenticate(this: &ClientHost, reason: u8, properties: JsValue);

    #[wasm_bindgen(method)]
    pub(super) fn write(this: &ClientHost, key: &[u8], value: Option<&[u8]>);

    #[wasm_bindgen(method)]
    pub(super) fn commit(this: &ClientHost);

    #[wasm_bindgen(method)]
    pub(super) fn reject(this: &ClientHost, key: &[u8], reason: &str);

    #[wasm_bindgen(method)]
    pub(super) fn disconnected(this: &ClientHost, cause: &str, reason: Option<u8>, message: &str, properties: JsValue);
}
