//! What must hold for any topics and filters: trees agree with linear matching, and covering agrees with matching.

use super::{FilterTree, NameTree, TopicFilter, TopicName};
use crate::codec::Text;
use proptest::{collection::vec, prelude::*, sample::select};
use std::collections::BTreeSet;

const LEVELS: [&str; 4] = ["", "a", "b", "$x"];

fn name() -> impl Strategy<Value = TopicName> {
    vec(select(&LEVELS[..]), 1..5)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("a name is not empty", |text| !text.is_empty())
        .prop_map(|text| TopicName::parse(Text::try_from(text).unwrap()).unwrap())
}

fn filter() -> impl Strategy<Value = TopicFilter> {
    let level = prop_oneof![select(&LEVELS[..]), Just("+")];
    (any::<bool>(), vec(level, 0..4), any::<bool>())
        .prop_map(|(shared, mut levels, multi_level)| {
            levels.extend(multi_level.then_some("#"));
            format!("{}{}", if shared { "$share/g/" } else { "" }, levels.join("/"))
        })
        .prop_filter_map("a filter is not empty", |text| TopicFilter::parse(Text::try_from(text).unwrap()).ok())
}

/// All names of up to four levels, one more than filters have in front of their `#`, with a level that no filter holds.
fn all_names() -> Vec<TopicName> {
    let mut texts = vec![String::new()];
    let mut names = Vec::new();
    for depth in 0..4 {
        texts = texts
            .iter()
            .flat_map(|text| {
                let slash = if depth == 0 { "" } else { "/" };
                LEVELS.iter().chain(&["c"]).map(move |level| format!("{text}{slash}{level}"))
            })
            .collect();
        names.extend(texts.iter().filter_map(|text| TopicName::parse(Text::try_from(text.as_str()).unwrap()).ok()));
    }
    names
}

proptest! {
    #[test]
    fn a_filter_tree_finds_what_linear_matching_finds(
        filters in vec(filter(), 0..20),
        removed in vec(filter(), 0..10),
        topics in vec(name(), 1..10),
    ) {
        let mut tree: FilterTree<String> = FilterTree::new();
        let mut model = BTreeSet::new();
        for filter in &filters {
            filter.filter_text().clone_into(tree.entry(filter));
            model.insert(filter.filter_text());
        }
        for filter in &removed {
            prop_assert_eq!(tree.remove(filter).is_some(), model.remove(filter.filter_text()));
        }
        prop_assert_eq!(tree.len(), model.len());
        for topic in &topics {
            let mut found = Vec::new();
            tree.visit(topic, &mut |text| found.push(text.as_str()));
            found.sort_unstable();
            let matching = |text: &&str| TopicFilter::parse(Text::try_from(*text).unwrap()).unwrap().matches(topic);
            prop_assert_eq!(found, model.iter().copied().filter(matching).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_name_tree_finds_what_linear_matching_finds(
        names in vec(name(), 0..20),
        removed in vec(name(), 0..10),
        filters in vec(filter(), 1..10),
    ) {
        let mut tree = NameTree::new();
        let mut model = BTreeSet::new();
        for name in &names {
            prop_assert_eq!(tree.insert(name, name).is_none(), model.insert(name));
        }
        for name in &removed {
            prop_assert_eq!(tree.remove(name).is_some(), model.remove(name));
        }
        prop_assert_eq!(tree.len(), model.len());
        for filter in &filters {
            let mut found = Vec::new();
            tree.visit(filter, &mut |name| found.push(*name));
            found.sort_unstable();
            let matching = model.iter().copied().filter(|name| filter.matches(name)).collect::<Vec<_>>();
            prop_assert_eq!(found, matching);
        }
    }

    #[test]
    fn a_filter_covers_another_exactly_when_it_matches_all_that_the_other_matches(
        wide in filter(),
        narrow in filter(),
    ) {
        let all_matched = all_names().iter().all(|name| wide.matches(name) || !narrow.matches(name));
        prop_assert_eq!(wide.covers(&narrow), all_matched);
    }
}
