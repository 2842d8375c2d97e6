//! `mqlite check`: what is wrong with a file of settings, or what is in effect with it.

use super::{Data, say};
use clap::Args;
use mqlite::shell::native::{Mistake, Secrets, ServerConfig, Settings};
use std::{
    io::{self, Write},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

/// Look for mistakes in a file of settings
///
/// Says for each mistake its line and what to do, with exit code 1. Without any, all settings that
/// are in effect are written to stdout, those too that the file leaves at their defaults.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Check {
    /// The file
    file: PathBuf,
}

impl Check {
    pub fn run(self) -> Result<(), String> {
        let settings = Settings::read(&self.file, Secrets::from_environment());
        let Settings { mut config, memory, .. } = settings.map_err(|mistakes| told(&self.file, &mistakes))?;
        if !memory && config.data.is_none() {
            config.data = Some(Data { data: None }.directory()?);
        }
        let memory = if memory { "memory = true\n" } else { "" };
        let written = io::stdout().write_all(format!("{memory}{}", config.to_toml()).as_bytes());
        written.map_err(|error| format!("stdout cannot be written ({error})"))?;
        advise(&config);
        Ok(())
    }
}

/// Each mistake, in a line of its own.
pub fn told(file: &Path, mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes.iter().map(|mistake| format!("{}: {mistake}", file.display())).collect();
    lines.join("\nerror: ")
}

/// What is no mistake, but may surprise.
fn advise(config: &ServerConfig) {
    let secrets = &config.secrets;
    for (secret, variable) in [
        (&secrets.admin_token, "MQLITE_ADMIN_TOKEN"),
        (&secrets.jwt_secret, "MQLITE_JWT_SECRET"),
        (&secrets.jwt_public_key, "MQLITE_JWT_PUBLIC_KEY"),
    ] {
        if secret.is_some() {
            say(&format!("note: {variable} is set, and counts more than a file"));
        }
    }
    let is_of_this_machine = |address: &str| match address.parse::<SocketAddr>().map(|address| address.ip()) {
        Ok(IpAddr::V4(ip)) => ip.is_loopback(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback(),
        Err(_) => address.starts_with("localhost:"),
    };
    let lists = [&config.tcp, &config.websocket, &config.tcp_tls, &config.websocket_tls];
    let other = lists.into_iter().flatten().find(|address| !is_of_this_machine(address));
    if let (None, Some(address)) = (&config.authentication, other) {
        say(&format!(
            "note: {address} can be reached from other machines: without authentication it is served only if there are \
             users (mqlite user add)"
        ));
    }
}
