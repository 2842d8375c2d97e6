//! The shape of the tree: which module may use which, what is free of `std`, who may name a platform, how long a file is.
//!
//! Each check takes a path and a text, so that the tests below can plant a violation and see it found.
#![cfg(not(target_arch = "wasm32"))]

use proc_macro2::{TokenStream, TokenTree};
use std::{fs, path::Path};

/// Every module of the crate, and the modules that it may use.
const ARROWS: [(&str, &[&str]); 8] = [
    ("time", &[]),
    ("codec", &[]),
    ("topic", &["codec"]),
    ("session", &["codec", "time"]),
    ("store", &["codec", "session", "time", "topic"]),
    ("broker", &["codec", "session", "store", "time", "topic"]),
    ("client", &["codec", "session", "time", "topic"]),
    ("shell", &["broker", "client", "codec", "session", "store", "time", "topic"]),
];

const SOURCE_FOLDERS: [&str; 6] = ["src", "js", "www", "tests", "worker", ".ci"];
const SOURCE_SUFFIXES: [&str; 7] = ["rs", "ts", "tsx", "js", "mjs", "css", "sh"];
const NOT_OURS: [&str; 4] = ["node_modules", "dist", "js/wasm", "tests/results"];
const LONGEST_FILE: usize = 600;

#[test]
fn no_core_module_names_std() {
    assert_holds(core_names_std);
}

#[test]
fn modules_use_only_what_is_below_them() {
    assert_holds(broken_arrows);
}

#[test]
fn no_file_is_too_long() {
    assert_holds(too_long);
}

#[test]
fn only_a_file_for_each_artefact_imports_the_generated_glue() {
    assert_holds(imports_glue);
}

#[test]
fn only_entries_name_a_platform() {
    assert_holds(names_platform);
}

#[test]
fn the_page_and_the_worker_use_the_package_as_anybody_would() {
    assert_holds(reaches_into_the_package);
}

#[test]
fn the_crate_is_no_std_without_a_shell() {
    let root = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let wanted = r#"#![cfg_attr(not(any(test, feature = "native", feature = "wasm")), no_std)]"#;
    assert!(root.lines().any(|line| line == wanted || line == "#![no_std]"), "src/lib.rs: no longer no_std");
}

// The checks: what is wrong with the file, one sentence each.

fn core_names_std(path: &str, text: &str) -> Vec<String> {
    let Some(module) = module_of(path).filter(|module| *module != "shell") else { return Vec::new() };
    let named = production_tokens(text).iter().any(|token| token == "std");
    named.then(|| format!("{path}: `{module}` is part of the core and names std")).into_iter().collect()
}

fn broken_arrows(path: &str, text: &str) -> Vec<String> {
    let Some(module) = module_of(path) else { return Vec::new() };
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{path}: `{module}` has no line in ARROWS")];
    };
    used_modules(path, &production_tokens(text))
        .into_iter()
        .filter(|used| used != module && !allowed.contains(&used.as_str()))
        .map(|used| format!("{path}: `{module}` may not use `{used}`"))
        .collect()
}

fn too_long(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    (lines > LONGEST_FILE).then(|| format!("{path}: {lines} lines, {LONGEST_FILE} are the most")).into_iter().collect()
}

fn imports_glue(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("js/src/") || path.starts_with("js/src/glue/") {
        return Vec::new();
    }
    complain(path, text, "only js/src/glue imports the glue", |import| {
        resolve(path, import).starts_with("js/wasm/") && !import.contains(".wasm")
    })
}

fn names_platform(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("js/src/") || path.starts_with("js/src/entry/") || path.contains(".test.") {
        return Vec::new();
    }
    complain(path, text, "only js/src/entry names a platform", |import| {
        ["node:", "cloudflare:", "workerd:", "bun:"].iter().any(|platform| import.starts_with(platform))
    })
}

fn reaches_into_the_package(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("www/") && !path.starts_with("worker/") {
        return Vec::new();
    }
    complain(path, text, "import from 'mqlite' instead", |import| resolve(path, import).starts_with("js/"))
}

fn complain(path: &str, text: &str, rule: &str, wrong: impl Fn(&str) -> bool) -> Vec<String> {
    if !["ts", "tsx", "js", "mjs"].iter().any(|suffix| has_suffix(path, suffix)) {
        return Vec::new();
    }
    let imports = imports(text).into_iter().filter(|import| wrong(import));
    imports.map(|import| format!("{path}: imports '{import}': {rule}")).collect()
}

#[test]
fn std_is_found_in_the_core_however_it_is_named() {
    for text in
        ["use std::fmt;", "fn f() { let x = ::std::mem::take(y); }", "extern crate std;", "use {core::fmt, std::io};"]
    {
        assert_eq!(core_names_std("src/codec/frame.rs", text).len(), 1, "{text}");
        assert_eq!(core_names_std("src/shell/native/mod.rs", text).len(), 0, "{text}");
    }
    let innocent = r#"
        //! Not std::fmt.
        const WORDS: &str = "std::fmt";
        #[cfg(test)]
        mod tests { use std::collections::HashSet; }
        #[cfg(all(test, not(target_arch = "wasm32")))]
        use std::io;
    "#;
    assert_eq!(core_names_std("src/codec/frame.rs", innocent), [""; 0]);
    let after_tests = "#[cfg(test)] mod tests { fn f() {} }\n use std::fmt;";
    assert_eq!(core_names_std("src/codec/frame.rs", after_tests).len(), 1);
    let not_only_in_tests = "#[cfg(not(test))] use std::fmt;";
    assert_eq!(core_names_std("src/codec/frame.rs", not_only_in_tests).len(), 1);
}

#[test]
fn a_broken_arrow_is_found_however_it_is_drawn() {
    let violations = [
        ("src/codec/mod.rs", "use crate::topic::TopicName;"),
        ("src/codec/mod.rs", "use super::topic::TopicName;"),
        ("src/codec/publish.rs", "use super::super::session;"),
        ("src/time.rs", "fn f(code: crate::codec::Reason) {}"),
        ("src/topic/tree.rs", "use crate::{codec::Text, session};"),
        ("src/topic/tree.rs", "use crate::{codec::{a, b}, session::{self, c}};"),
        ("src/client/mod.rs", "use crate::broker::Broker;"),
        ("src/broker/mod.rs", "fn f() { debug!(crate::shell::native::now()) }"),
        ("src/broker/mod.rs", "pub(crate) use crate::client;"),
        ("src/cache/mod.rs", ""),
    ];
    for (path, text) in violations {
        assert_eq!(broken_arrows(path, text).len(), 1, "{path}: {text}");
    }
    let allowed = [
        (
            "src/broker/mod.rs",
            "use crate::{broker::route, codec::{Packet, client::Id}, session, time::Timestamp, topic};",
        ),
        ("src/codec/publish.rs", "//! See [`crate::topic`].\n use super::{field, property}; use crate::codec::Text;"),
        ("src/codec/publish.rs", "#[cfg(test)] mod tests { use crate::broker::Broker; use super::super::topic; }"),
        ("src/shell/native/mod.rs", "use crate::broker::Broker; use super::super::topic;"),
        ("src/topic/tree.rs", "pub(crate) fn f() {} pub(super) fn g() {} use proptest::crate_name;"),
    ];
    for (path, text) in allowed {
        assert_eq!(broken_arrows(path, text), [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_module_declared_for_tests_alone_is_told_from_others() {
    let text =
        "#[cfg(test)] mod properties; mod tree; #[cfg(all(test, not(windows)))] pub mod more; #[cfg(unix)] mod x;";
    assert_eq!(test_module_paths("src/topic/mod.rs", text), ["src/topic/properties", "src/topic/more"]);
    assert_eq!(test_module_paths("src/lib.rs", "#[cfg(test)] mod tests;"), ["src/tests"]);
}

#[test]
fn the_line_after_the_last_allowed_one_is_found() {
    assert_eq!(too_long("www/a.css", &"\n".repeat(LONGEST_FILE)), [""; 0]);
    assert_eq!(too_long("www/a.css", &"\n".repeat(LONGEST_FILE + 1)).len(), 1);
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let glue = "import init, {\n  Engine,\n} from '../../wasm/client.js'";
    assert_eq!(imports_glue("js/src/entry/broker.ts", glue).len(), 1);
    assert_eq!(imports_glue("js/src/glue/client.ts", glue).len(), 0);
    assert_eq!(imports_glue("js/src/entry/browser.ts", "const glue = await import(\"../../wasm/client.js\")").len(), 1);
    assert_eq!(imports_glue("js/src/entry/worker.ts", "import wasm from '../../wasm/client_bg.wasm'").len(), 0);

    let platform = "export { a } from './a'; import fs from 'node:fs'";
    assert_eq!(names_platform("js/src/storage.ts", platform).len(), 1);
    assert_eq!(names_platform("js/src/entry/node.ts", platform).len(), 0);
    assert_eq!(names_platform("js/src/storage.ts", "// import 'node:fs'\nconst from = 'node:fs'").len(), 0);
    assert_eq!(names_platform("js/src/storage.ts", "import 'cloudflare:workers'").len(), 1);

    assert_eq!(reaches_into_the_package("www/src/main.ts", "import { Broker } from '../../js/src/index'").len(), 1);
    assert_eq!(reaches_into_the_package("worker/src/index.ts", "export * from '../../js/dist/index.js'").len(), 1);
    assert_eq!(
        reaches_into_the_package("www/src/main.ts", "import { Broker } from 'mqlite'; import '../js/a'").len(),
        0
    );
}

// Reading Rust.

/// The first folder or file below src/; none for the crate's roots.
fn module_of(path: &str) -> Option<&str> {
    let module = path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    (module != "lib" && module != "main").then_some(module)
}

/// The modules at the crate's root that a file names: `crate::a`, `crate::{a, b::c}`, and `super::a` where that climbs so far.
fn used_modules(path: &str, tokens: &[String]) -> Vec<String> {
    let depth = path.split('/').count() - if path.ends_with("/mod.rs") { 2 } else { 1 };
    let climbing = ["super", ":", ":"].repeat(depth);
    let roots = [&["crate", ":", ":"][..], &climbing];
    let mut used = Vec::new();
    for start in 0..tokens.len() {
        for root in roots {
            if starts_with(&tokens[start..], root) {
                used.extend(names_after(&tokens[start + root.len()..]));
            }
        }
    }
    used.retain(|name| name != "super");
    used
}

/// The first names of the paths that follow: one, or those of a group in braces.
fn names_after(tokens: &[String]) -> Vec<String> {
    if tokens.first().is_none_or(|token| token != "{") {
        return tokens.first().cloned().into_iter().collect();
    }
    let mut names = Vec::new();
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            name if depth == 1 && matches!(tokens[index - 1].as_str(), "{" | ",") => names.push(name.to_owned()),
            _ => {}
        }
    }
    names
}

/// The tokens of a file without its comments and without the items that exist only in tests.
fn production_tokens(text: &str) -> Vec<String> {
    let mut tokens = all_tokens(text);
    while let Some((start, end)) = find_test_item(&tokens) {
        tokens.drain(start..end);
    }
    tokens
}

/// The modules that a file declares for tests alone, `#[cfg(test)] mod name;`, as paths without their suffix.
fn test_module_paths(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("src/") {
        return Vec::new();
    }
    let folder = path.trim_end_matches(".rs").trim_end_matches("/mod").trim_end_matches("/lib");
    let mut tokens = all_tokens(text);
    let mut modules = Vec::new();
    while let Some((start, end)) = find_test_item(&tokens) {
        let item: Vec<String> = tokens.drain(start..end).collect();
        if let [.., module, name, semicolon] = &item[..]
            && (module == "mod" && semicolon == ";")
        {
            modules.push(format!("{folder}/{name}"));
        }
    }
    modules
}

/// Where an item under `#[cfg(test)]`, or `#[cfg(all(test, ..))]`, begins and ends.
fn find_test_item(tokens: &[String]) -> Option<(usize, usize)> {
    (0..tokens.len()).find_map(|start| {
        let rest = tokens[start..].strip_prefix(&["#", "[", "cfg", "("].map(str::to_owned)[..])?;
        let test_only = starts_with(rest, &["test", ")"]) || starts_with(rest, &["all", "(", "test"]);
        test_only.then(|| (start, start + item_length(&tokens[start..])))
    })
}

/// An item ends at its first semicolon or closing brace outside any bracket.
fn item_length(tokens: &[String]) -> usize {
    let mut depth = 0;
    let end = tokens.iter().position(|token| {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(token.as_str(), ";" | "}")
    });
    end.map_or(tokens.len(), |end| end + 1)
}

fn all_tokens(text: &str) -> Vec<String> {
    fn flatten(stream: TokenStream, tokens: &mut Vec<String>) {
        for tree in stream {
            let TokenTree::Group(group) = tree else {
                tokens.push(tree.to_string());
                continue;
            };
            let (open, close) = match group.delimiter() {
                proc_macro2::Delimiter::Brace => ("{", "}"),
                proc_macro2::Delimiter::Bracket => ("[", "]"),
                proc_macro2::Delimiter::Parenthesis | proc_macro2::Delimiter::None => ("(", ")"),
            };
            tokens.push(open.to_owned());
            flatten(group.stream(), tokens);
            tokens.push(close.to_owned());
        }
    }
    let mut tokens = Vec::new();
    flatten(text.parse().expect("the compiler read this file too"), &mut tokens);
    tokens
}

fn starts_with(tokens: &[String], beginning: &[&str]) -> bool {
    tokens.len() >= beginning.len() && tokens.iter().zip(beginning).all(|(token, wanted)| token == wanted)
}

// Reading TypeScript.

/// What a file imports or re-exports: the quoted word after `from`, `import` or `import(`. Comment lines do not count.
fn imports(text: &str) -> Vec<&str> {
    let code = text.lines().filter(|line| !["//", "*", "/*"].iter().any(|mark| line.trim_start().starts_with(mark)));
    code.flat_map(|line| {
        let quoted = line.split(['\'', '"', '`']).collect::<Vec<_>>();
        let pairs: Vec<_> = quoted.windows(2).step_by(2).map(|pair| (pair[0], pair[1])).collect();
        pairs.into_iter().filter(|(before, _)| introduces_import(before)).map(|(_, word)| word)
    })
    .collect()
}

fn introduces_import(before: &str) -> bool {
    let before = before.trim_end().trim_end_matches('(');
    ["from", "import", "require"].iter().any(|keyword| {
        before.strip_suffix(keyword).is_some_and(|rest| !rest.ends_with(|letter: char| letter.is_alphanumeric()))
    })
}

/// A relative import as a path from the top of the repository; any other as it is.
fn resolve(path: &str, import: &str) -> String {
    if !import.starts_with('.') {
        return import.to_owned();
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

// Reading the tree.

fn assert_holds(check: impl Fn(&str, &str) -> Vec<String>) {
    let files = sources();
    assert!(files.iter().any(|(path, _)| path == "src/time.rs"), "the tree was not read");
    let wrong: Vec<String> = files.iter().flat_map(|(path, text)| check(path, text)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Every source file of the repository: its path from the top, and its text.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in SOURCE_FOLDERS {
        collect(Path::new(env!("CARGO_MANIFEST_DIR")), folder, &mut files);
    }
    let in_tests: Vec<String> = files.iter().flat_map(|(path, text)| test_module_paths(path, text)).collect();
    for (path, text) in &mut files {
        // A file that exists only in tests keeps its length, the one thing about it that has a rule.
        if in_tests.iter().any(|module| *path == format!("{module}.rs") || path.starts_with(&format!("{module}/"))) {
            *text = "\n".repeat(text.lines().count());
        }
    }
    files
}

fn collect(top: &Path, folder: &str, files: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(top.join(folder)) else { return };
    for entry in entries.map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        if entry.file_type().unwrap().is_dir() {
            if !NOT_OURS.iter().any(|skipped| path.ends_with(skipped)) {
                collect(top, &path, files);
            }
        } else if folder.starts_with(".ci") || SOURCE_SUFFIXES.iter().any(|suffix| has_suffix(&name, suffix)) {
            files.push((path, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

fn has_suffix(path: &str, suffix: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == suffix)
}
