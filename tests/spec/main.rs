//! The broker's rules as scripts, one module a theme, each run for 3.1.1 and 5.0 where both have the rule.
#![cfg(not(target_arch = "wasm32"))]

mod authenticate;
mod connect;
mod cost;
mod edges;
mod flow;
mod harness;
mod host;
mod limits;
mod memory;
mod negative;
mod publish;
mod queue;
mod retain;
mod session;
mod share;
mod store;
mod subscribe;
mod sys;
mod will;
