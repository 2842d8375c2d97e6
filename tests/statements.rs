//! The normative statements of MQTT 5.0, listed in tests/spec/statements.txt, against the tests that name them.
//!
//! A test names what it holds in its doc comment, in JavaScript in its title: `[MQTT-3.1.4-3]`, or `[3.1.1 MQTT-3.1.3-8]` for
//! a rule of 3.1.1 that differs. Each check takes texts, so that the tests below can plant a fault and see it found.
#![cfg(not(target_arch = "wasm32"))]

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const STATEMENTS: usize = 251;
const MOST_EXCUSED: usize = 10;

#[test]
fn every_statement_is_tested_or_excused() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(top.join("tests/spec/statements.txt")).unwrap();
    let mut tests = Vec::new();
    for folder in ["src", "tests", "js/test", "worker/test"] {
        collect_tests(&top.join(folder), &mut tests);
    }
    let wrong = faults(&list, &tests, STATEMENTS);
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// What a test runner runs.
#[derive(Debug, PartialEq)]
struct Test {
    name: String,
    documentation: String,
}

/// What is wrong with the list, and with the names that tests give, one sentence each.
fn faults(list: &str, tests: &[Test], count: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut marks = BTreeMap::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let (id, mark) = line.split_once(' ').unwrap_or((line, ""));
        if marks.insert(id, mark).is_some() {
            wrong.push(format!("{id}: twice in the list"));
        }
    }
    let mut named = BTreeSet::new();
    for test in tests {
        match names(&test.documentation) {
            Ok(names) => named.extend(names.into_iter().map(|id| (id, &test.name))),
            Err(text) => wrong.push(format!("{}: '{text}' is no name of a statement", test.name)),
        }
    }
    for (id, test) in &named {
        match marks.get(id).copied() {
            None => wrong.push(format!("{test}: {id} is not in the list")),
            Some("tested") => {}
            Some(_) => wrong.push(format!("{id}: {test} tests it, but the list does not say so")),
        }
    }
    for (id, mark) in &marks {
        let is_named = named.iter().any(|(name, _)| name == id);
        match mark.split_once(": ") {
            None if *mark == "tested" && is_named => {}
            None if *mark == "tested" => wrong.push(format!("{id}: no test names it")),
            Some(("excused", reason)) if !reason.trim().is_empty() => {}
            _ => wrong.push(format!("{id}: neither 'tested' nor 'excused: ' with a reason")),
        }
    }
    let excused = marks.values().filter(|mark| mark.starts_with("excused")).count();
    if excused > MOST_EXCUSED {
        wrong.push(format!("{excused} are excused, {MOST_EXCUSED} are the most"));
    }
    if marks.len() != count {
        wrong.push(format!("{} statements are listed, there are {count}", marks.len()));
    }
    wrong
}

/// The statements of 5.0 that a doc comment names; an error is what looks like a name and is none.
fn names(documentation: &str) -> Result<Vec<&str>, &str> {
    let mut names = Vec::new();
    let mut rest = documentation;
    while let Some(start) = rest.find("MQTT-") {
        let before = &rest[..start];
        let length = rest[start + 5..].find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != '-');
        let id = &rest[start..length.map_or(rest.len(), |length| start + 5 + length)];
        rest = &rest[start + id.len()..];
        let is_older = before.ends_with("[3.1.1 ");
        if !(is_older || before.ends_with('['))
            || !rest.starts_with(']')
            || !id.ends_with(|it: char| it.is_ascii_digit())
        {
            return Err(id);
        }
        names.extend((!is_older).then_some(id));
    }
    Ok(names)
}

#[test]
fn each_fault_of_the_list_is_found() {
    let test = |documentation: &str| Test { name: "t".into(), documentation: documentation.into() };
    let both = [test("[MQTT-1-1] [MQTT-1-2] [3.1.1 MQTT-9-9]")];
    let one = [test("[MQTT-1-1] (1.1)")];
    assert_eq!(faults("# Ids.\nMQTT-1-1 tested\nMQTT-1-2 tested", &both, 2), [""; 0]);
    assert_eq!(faults("MQTT-1-1 tested\nMQTT-1-2 excused: a reason", &one, 2), [""; 0]);
    let eleven: String = (1..=11).map(|number| format!("\nMQTT-2-{number} excused: a reason")).collect();
    for (list, tests, count, fault) in [
        ("MQTT-1-1 tested\nMQTT-1-2", &one, 2, "MQTT-1-2: neither 'tested' nor 'excused: ' with a reason"),
        ("MQTT-1-1 tested\nMQTT-1-2 excused: ", &one, 2, "MQTT-1-2: neither 'tested' nor 'excused: ' with a reason"),
        ("MQTT-1-1 tested\nMQTT-1-2 hoped: yes", &one, 2, "MQTT-1-2: neither 'tested' nor 'excused: ' with a reason"),
        ("MQTT-1-1 tested\nMQTT-1-2 tested", &one, 2, "MQTT-1-2: no test names it"),
        ("MQTT-1-1 tested", &both, 1, "t: MQTT-1-2 is not in the list"),
        ("MQTT-1-1 tested\nMQTT-1-1 tested", &one, 1, "MQTT-1-1: twice in the list"),
        ("MQTT-1-1 tested", &one, 2, "1 statements are listed, there are 2"),
        ("MQTT-1-1 excused: a reason", &one, 1, "MQTT-1-1: t tests it, but the list does not say so"),
        (&format!("MQTT-1-1 tested{eleven}"), &one, 12, "11 are excused, 10 are the most"),
        ("MQTT-1-1 tested", &[test("[MQTT-1-1] MQTT-1-1")], 1, "t: 'MQTT-1-1' is no name of a statement"),
    ] {
        let found = faults(list, tests, count);
        assert!(found.contains(&fault.to_owned()), "{fault}: {found:?}");
    }
}

#[test]
fn only_what_stands_in_brackets_is_a_name() {
    assert_eq!(names("[MQTT-3.1.4-3] and [3.1.1 MQTT-3-8.3-4] (4.9)"), Ok(vec!["MQTT-3.1.4-3"]));
    for wrong in ["MQTT-3.1.4-3", "[MQTT-3.1.4-3", "[MQTT-3.1.4-]", "[3.1 MQTT-3.1.4-3]", "[MQTT-x]"] {
        assert!(names(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn only_functions_that_are_run_count_as_tests() {
    let text = r#"
        //! [MQTT-1-1]
        /// [MQTT-1-2]
        fn no_test() {}
        // [MQTT-1-3]
        /// [MQTT-1-4]
        #[test]
        #[ignore]
        fn not_run() {}
        /// [MQTT-1-5]
        #[cfg(test)]
        mod tests {
            /// One.
            #[test]
            fn plain() { /* [MQTT-1-6] */ }
            /// [MQTT-1-7]
            struct NoTest;
            #[tokio::test]
            async fn undocumented() {}
        }
        proptest! { /// Two.
            #[test] fn property(a in b()) {} }
    "#;
    let found = tests_of(text);
    let names: Vec<_> = found.iter().map(|test| test.name.as_str()).collect();
    assert_eq!(names, ["plain", "undocumented", "property"]);
    assert!(found[0].documentation.contains("One.") && found[2].documentation.contains("Two."));
    assert!(found.iter().all(|test| !test.documentation.contains("MQTT")), "{found:?}");
}

#[test]
fn only_titles_of_tests_that_are_run_count_in_javascript() {
    let text = "// test('[MQTT-1-1]')
        describe('[MQTT-1-2]', () => {
        test.skip('[MQTT-1-3]', () => {});
        test('a [MQTT-1-4]', () => '[MQTT-1-5]');
        withBroker(`b`, async () => {});";
    let found = titled_tests(text);
    assert_eq!(found.iter().map(|test| test.documentation.as_str()).collect::<Vec<_>>(), ["a [MQTT-1-4]", "b"]);
}

// Reading the tests.

fn collect_tests(folder: &Path, tests: &mut Vec<Test>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "node_modules" && name != "results") {
                collect_tests(&path, tests);
            }
            continue;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => tests.extend(tests_of(&fs::read_to_string(path).unwrap())),
            Some("mjs") => tests.extend(titled_tests(&fs::read_to_string(path).unwrap())),
            _ => {}
        }
    }
}

fn titled_tests(text: &str) -> Vec<Test> {
    let titles = text.lines().map(str::trim_start).filter_map(|line| {
        let title = line.strip_prefix("test(").or_else(|| line.strip_prefix("withBroker("))?;
        let quote = title.chars().next().filter(|mark| "'\"`".contains(*mark))?;
        title[1..].split(quote).next()
    });
    titles.map(|title| Test { name: title.into(), documentation: title.into() }).collect()
}

fn tests_of(text: &str) -> Vec<Test> {
    let mut tests = Vec::new();
    find_tests(text.parse().expect("the compiler read this file too"), &mut tests);
    tests
}

/// Walks the items of a file, a module or a macro; what stands in front of a function decides whether it is a test.
fn find_tests(stream: TokenStream, tests: &mut Vec<Test>) {
    let mut attributes: Vec<String> = Vec::new();
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = tokens.peek() {
                    attributes.push(attribute.stream().to_string());
                    tokens.next();
                }
            }
            TokenTree::Ident(word) if word == "fn" => {
                let attributes = std::mem::take(&mut attributes);
                let is_test = |it: &String| it == "test" || it.ends_with(":: test");
                if attributes.iter().any(is_test) && !attributes.iter().any(|it| it.starts_with("ignore")) {
                    let lines = attributes.iter().filter(|it| it.starts_with("doc"));
                    let documentation = lines.cloned().collect::<Vec<_>>().join(" ");
                    let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
                    tests.push(Test { name, documentation });
                }
            }
            TokenTree::Ident(word) if word == "pub" || word == "async" => {}
            TokenTree::Group(group) => {
                attributes.clear();
                if group.delimiter() == Delimiter::Brace {
                    find_tests(group.stream(), tests);
                }
            }
            _ => attributes.clear(),
        }
    }
}
