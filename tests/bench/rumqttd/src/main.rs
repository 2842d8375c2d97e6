//! rumqttd with the settings of a file, as its own command starts it.

use rumqttd::{Broker, Config};
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("name a file of settings")?;
    let config: Config = toml::from_str(&fs::read_to_string(file)?)?;
    Ok(Broker::new(config).start()?)
}
