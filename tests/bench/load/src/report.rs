//! What came of a load: figures by name.

use hdrhistogram::Histogram;
use std::fmt;

#[derive(Default)]
pub struct Report(Vec<(&'static str, f64)>);

impl Report {
    pub fn add(&mut self, name: &'static str, value: f64) {
        if value.is_finite() {
            self.0.push((name, value));
        }
    }

    /// Half, 95 and 99 in 100 of nanoseconds, in microseconds.
    pub fn add_quantiles(&mut self, names: [&'static str; 3], histogram: &Histogram<u64>) {
        for (name, quantile) in names.into_iter().zip([0.5, 0.95, 0.99]) {
            if !histogram.is_empty() {
                self.add(name, histogram.value_at_quantile(quantile) as f64 / 1e3);
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<_> = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        write!(formatter, "{{{}}}", figures.join(","))
    }
}
