//! What looks random in the simulation: a SplitMix64 sequence, and the scenario that a seed stands for.

use super::trace::{Connect, Filter, Operation, Scenario, Setup, Step, Will};

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x51D0_0000_C0FF_EE00)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// 0 to `end`, without it.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// The scenario of a seed.
pub fn scenario(seed: u64) -> Scenario {
    let random = &mut Random::new(seed);
    let setup = Setup {
        clients: 2 + random.below(4),
        real: random.below(32),
        receive_maximum: random.pick(&[1, 2, 3, 20]),
        aliases: random.pick(&[0, 1, 3]),
        in_flight: random.pick(&[1, 2, 256]),
        queued: random.pick(&[2, 5, 1_000, 1_000]),
        send_buffer: random.pick(&[150, 400, 1_000_000]),
        retained: random.pick(&[1, 2, 1_000]),
        subscriptions: random.pick(&[2, 1_000, 1_000]),
        asks: u64::from(random.chance(30)),
        durability: random.pick(&[0, 1, 1, 2, 2, 2]),
        network: random.pick(&[0, 1, 5, 40]),
        disk: random.pick(&[0, 1, 10, 60]),
    };
    let mut generator = Generator { random, clients: setup.clients, number: 0 };
    let steps = 20 + generator.random.below(70);
    let mut all: Vec<_> = (0..setup.clients).map(|client| generator.connect(client)).collect();
    all.extend((0..steps).map(|_| generator.operation()));
    let gap = |random: &mut Random| random.pick(&[0, 0, 1, 3, 10, 100, 300]);
    let steps = all.into_iter().map(|operation| Step { gap: gap(generator.random), operation }).collect();
    Scenario { seed, setup, steps }
}

struct Generator<'random> {
    random: &'random mut Random,
    clients: u64,
    number: u64,
}

const TOPICS: [&str; 8] = ["a", "a/b", "a/b/c", "b", "a/b", "a", "/", "$x/a"];
/// No two shares match one topic: for which of them a member got a message could not be told.
const FILTERS: [&str; 18] = [
    "#",
    "a/#",
    "+/b",
    "a",
    "a/b",
    "a/+",
    "b",
    "+",
    "$x/#",
    "a/+/c",
    "a",
    "a/b",
    "+/+",
    "+/#",
    "$share/g/+/b",
    "$share/g/+/b",
    "$share/h/b",
    "$share/g/$x/#",
];

impl Generator<'_> {
    fn operation(&mut self) -> Operation {
        let client = self.random.below(self.clients);
        match self.random.below(100) {
            0..=11 => self.connect(client),
            12..=43 => self.publish(client),
            44..=56 => self.subscribe(client),
            57..=60 => Operation::Unsubscribe { client, filter: self.random.pick(&FILTERS).into() },
            61..=67 => Operation::Acknowledge { client },
            68 => Operation::Ping { client },
            69..=72 => Operation::Disconnect {
                client,
                reason: self.random.pick(&[0, 0, 4]),
                expiry: self.some(30, &[0, 1, 20]),
            },
            73..=76 => Operation::Cut { client },
            77 => Operation::Vanish { client },
            78 => Operation::Dismiss { client, ends: self.random.chance(40) },
            79..=81 => Operation::Stall { client },
            82..=84 => Operation::Read { client },
            85 => {
                self.number += 1;
                let (qos, retain) = (self.random.below(3), self.random.chance(20));
                let (topic, length) = self.content(retain);
                Operation::HostPublish { number: self.number, topic, qos, retain, length }
            }
            86 => Operation::Keep { name: self.random.below(3), value: self.some(70, &[1, 2, 3]) },
            87..=88 => Operation::Wait { millis: self.random.pick(&[500, 1_500, 3_000, 12_000]) },
            89..=90 => Operation::Jump { millis: self.random.pick(&[-10_000, -500, 700, 2_000, 40_000]) },
            91..=93 => Operation::Hibernate,
            94..=96 => Operation::Crash,
            97 => Operation::Panic,
            98 => Operation::FailStorage,
            _ => Operation::Settle,
        }
    }

    fn some<T: Copy>(&mut self, percent: u64, choices: &[T]) -> Option<T> {
        self.random.chance(percent).then(|| self.random.pick(choices))
    }

    fn connect(&mut self, client: u64) -> Operation {
        let will = self.random.chance(30).then(|| {
            self.number += 1;
            Will {
                number: self.number,
                topic: self.random.pick(&TOPICS).into(),
                qos: self.random.below(3),
                retain: self.random.chance(30),
                delay: self.some(60, &[0, 1, 3, 30]).unwrap_or(0),
                expiry: self.some(30, &[1, 10]),
            }
        });
        let connect = Connect {
            v5: self.random.chance(65),
            clean: self.random.chance(30),
            expiry: self.some(80, &[0, 2, 30, 3_000, u32::MAX]).unwrap_or(0),
            receive_maximum: self.some(60, &[1, 2, 3, 10]),
            maximum_packet_size: self.some(30, &[40, 60, 120]),
            aliases: self.some(40, &[1, 2, 9]).unwrap_or(0),
            keep_alive: self.some(30, &[1, 2, 5]).unwrap_or(0),
            lazy: self.random.chance(30),
            refuses: self.random.chance(15),
            will,
        };
        Operation::Connect { client, connect: Box::new(connect) }
    }

    fn publish(&mut self, client: u64) -> Operation {
        self.number += 1;
        let retain = self.random.chance(25);
        let (topic, length) = self.content(retain);
        Operation::Publish {
            client,
            number: self.number,
            topic,
            qos: self.random.pick(&[0, 1, 1, 2, 2]),
            retain,
            length,
            expiry: self.some(20, &[1, 2, 10]),
            alias: self.some(30, &[1, 2, 3]).unwrap_or(0),
            // What becomes retained after the end would be left.
            delay: self.some(12, &[0, 1, 5, 30]).filter(|_| !retain),
        }
    }

    /// Topic and bytes of the payload: 0, which has no number in it, for what removes a retained message. No share has those
    /// topics: which of two messages without a number went to which member could not be told.
    fn content(&mut self, retain: bool) -> (String, u64) {
        if retain && self.random.chance(25) {
            (self.random.pick(&["a", "/", "a/b/c"]).into(), 0)
        } else {
            (self.random.pick(&TOPICS).into(), self.random.pick(&[4, 4, 4, 20, 70]))
        }
    }

    fn subscribe(&mut self, client: u64) -> Operation {
        let count = self.random.pick(&[1, 1, 1, 2, 3]);
        let filters = (0..count).map(|_| {
            let filter: String = self.random.pick(&FILTERS).into();
            let is_local = !filter.starts_with("$share/") && self.random.chance(20);
            let retain_handling = self.random.pick(&[0, 0, 1, 2]);
            let options = self.random.below(3)
                | u64::from(is_local) << 2
                | u64::from(self.random.chance(40)) << 3
                | retain_handling << 4;
            Filter { filter, options: options as u8 }
        });
        let filters = filters.collect();
        Operation::Subscribe { client, identifier: self.some(40, &[1, 2, 200]).unwrap_or(0), filters }
    }
}
