//! The broker's rules as scripts, one module a chapter of the standard, each run for 3.1.1 and 5.0 where both have the rule.
//! Chapter 6 is a transport's: see tests/native/websocket.rs. What a client must do is in tests/client.
#![cfg(not(target_arch = "wasm32"))]

mod bounded;
mod harness;
mod host;
mod kept;
mod raw;
mod records;
mod version;
mod writes;

mod acknowledge; // 3.4 to 3.7
mod authenticate; // 3.15, 4.11, 4.12
mod connack; // 3.2
mod connect; // 3.1
mod data; // 1.5
mod disconnect; // 3.14
mod flow; // 4.9
mod network; // 4.2
mod order;
mod packet; // 2
mod ping; // 3.12, 3.13
mod publish; // 3.3
mod qos; // 4.3
mod receipt; // 4.5
mod redelivery; // 4.4
mod retain; // 3.3.1.3, 3.8.3.1
mod session; // 4.1
mod share; // 4.8.2
mod subscribe; // 3.8, 3.9, 4.8.1
mod topic; // 4.7
mod unsubscribe; // 3.10, 3.11
mod users; // 3.1.3.1
mod verdict; // 3.1.4, 4.12
mod will; // 3.1.2.5, 3.1.3.2

// Where chapters meet, and what no client should send. (4.13)
mod edges;
mod negative;

// What the standard leaves to a broker.
mod cost;
mod delay;
mod keep;
mod limits;
mod memory;
mod operate;
mod pace;
mod queue;
mod review;
mod rules;
mod store;

mod sys;
mod watch;
