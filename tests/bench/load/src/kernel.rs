//! What the kernel counts of a process.

use std::{error::Error, fs};

/// Seconds that all its threads have had a core.
pub fn cpu_seconds(process: Option<u32>) -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", name(process)))?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("/proc has no stat as it should be")?;
    let ticks: Vec<f64> = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// Bytes of memory that it has now.
pub fn memory(process: u32) -> Result<f64, Box<dyn Error>> {
    status(process, "VmRSS:")
}

/// The most bytes of memory that it ever had.
pub fn peak_memory(process: u32) -> Result<f64, Box<dyn Error>> {
    status(process, "VmHWM:")
}

fn status(process: u32, key: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("/proc has no status as it should be")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}

fn name(process: Option<u32>) -> String {
    process.map_or_else(|| "self".into(), |id| id.to_string())
}

/// Of a second: the same on every Linux.
const TICKS: f64 = 100.0;
