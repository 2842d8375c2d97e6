//! Who publishes what, and who hears it: each message is heard as often as its lane says.

use crate::options::{Mode, Options};

pub struct Plan {
    pub topics: Vec<Box<[u8]>>,
    pub publishers: Vec<Path>,
    /// The lane and the filters of each subscriber.
    pub subscribers: Vec<(usize, Vec<String>)>,
    /// How many hear a message of the lane.
    pub fans: Vec<u64>,
}

/// The topics that a publisher goes through: from one on, so many further each time.
#[derive(Clone, Copy)]
pub struct Path {
    pub lane: usize,
    pub topic: usize,
    pub step: usize,
}

impl Plan {
    pub fn new(options: &Options) -> Self {
        let Options { publishers, subscribers, .. } = *options;
        let alone = |filter: String| vec![filter];
        let path = |lane, topic| Path { lane, topic, step: 0 };
        match options.mode {
            Mode::Pairs => Self {
                topics: (0..publishers).map(|index| bytes(&format!("bench/{index}"))).collect(),
                publishers: (0..publishers).map(|index| path(index, index)).collect(),
                subscribers: (0..publishers).map(|index| (index, alone(format!("bench/{index}")))).collect(),
                fans: vec![1; publishers],
            },
            Mode::Share => Self {
                topics: (0..publishers).map(|index| bytes(&format!("bench/{index}"))).collect(),
                publishers: (0..publishers).map(|index| path(0, index)).collect(),
                subscribers: (0..subscribers).map(|_| (0, alone("$share/group/bench/+".into()))).collect(),
                fans: vec![1],
            },
            Mode::Routing => routing(publishers, subscribers, options.count),
            _ => Self {
                topics: vec![bytes("bench/all")],
                publishers: (0..publishers).map(|_| path(0, 0)).collect(),
                subscribers: (0..subscribers).map(|_| (0, alone("bench/all".into()))).collect(),
                fans: vec![subscribers as u64],
            },
        }
    }
}

/// `count` topics with a filter each, dealt out to the subscribers. Three in ten filters have a wildcard, in different places, and still
/// match that one topic alone.
fn routing(publishers: usize, subscribers: usize, count: usize) -> Plan {
    let mut dealt = vec![Vec::new(); subscribers];
    for index in 0..count {
        let (site, device, metric) = place(index);
        dealt[index % subscribers].push(match index % 10 {
            0 => format!("site/{site}/+/{device}/metric/{metric}"),
            1 => format!("+/{site}/device/{device}/metric/{metric}"),
            2 => format!("site/{site}/device/{device}/metric/{metric}/#"),
            _ => format!("site/{site}/device/{device}/metric/{metric}"),
        });
    }
    let topic = |index| {
        let (site, device, metric) = place(index);
        bytes(&format!("site/{site}/device/{device}/metric/{metric}"))
    };
    Plan {
        topics: (0..count).map(topic).collect(),
        publishers: (0..publishers)
            .map(|index| Path { lane: 0, topic: index * count / publishers, step: STEP })
            .collect(),
        subscribers: dealt.into_iter().map(|filters| (0, filters)).collect(),
        fans: vec![1],
    }
}

fn place(index: usize) -> (usize, usize, usize) {
    (index % 100, index / 100 % 100, index / 10_000)
}

fn bytes(topic: &str) -> Box<[u8]> {
    topic.as_bytes().into()
}

/// A prime, so that one topic has nothing in common with the next.
const STEP: usize = 7_919;
