//! Lists that come page by page.

use super::{failure::Failure, query::Query};
use crate::codec::Text;
use serde_json::{Map, Value};

/// How many are asked for, and after which.
///
/// # Errors
/// When the first is no number that is allowed.
pub(super) fn page(query: &Query) -> Result<(usize, Option<Text>), Failure> {
    let limit = query.number("limit", 1..=MOST)?.unwrap_or(DEFAULT);
    let after = query.get("after").map(Text::try_from).transpose();
    Ok((limit, after.map_err(|_| Failure::bad_request("The parameter after is what next was before."))?))
}

/// A page as JSON.
pub(super) fn listed(name: &str, items: Value, next: Option<Text>) -> String {
    let mut page = Map::from_iter([(name.to_owned(), items)]);
    page.extend(next.map(|next| ("next".to_owned(), next.as_str().into())));
    Value::Object(page).to_string()
}

const MOST: usize = 1_000;
const DEFAULT: usize = 100;
