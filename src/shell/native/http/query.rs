//! The parameters of a request: all known, none twice but where a list is meant, each within its bounds.

use super::failure::Failure;
use axum::http::Uri;
use std::{ops::RangeInclusive, str::FromStr};

/// The parameters that came.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// # Errors
    /// When one came that is not among those `known`, or one of `once` more than once.
    pub(super) fn parse(uri: &Uri, once: &[&str], many: &[&str]) -> Result<Self, Failure> {
        let came = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut pairs = Vec::<(String, String)>::new();
        for (name, value) in came {
            let is_first = !pairs.iter().any(|(other, _)| *other == name);
            if !many.contains(&&*name) && !once.contains(&&*name) {
                let names = once.iter().chain(many).copied().collect::<Vec<_>>().join(", ");
                return Err(Failure::bad_request(match names.as_str() {
                    "" => "This path takes no parameters.".to_owned(),
                    names => format!("A parameter is not known here; these are: {names}."),
                }));
            }
            if !is_first && !many.contains(&&*name) {
                return Err(Failure::bad_request(format!("The parameter {name} may come only once.")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all<'query>(&'query self, name: &str) -> impl Iterator<Item = &'query str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// # Errors
    /// When it is not there, or empty.
    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        let value = self.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Failure::bad_request(format!("The parameter {name} is needed.")))
    }

    /// # Errors
    /// When it is no number within `range`.
    pub(super) fn number<N: FromStr + PartialOrd + std::fmt::Display>(
        &self,
        name: &str,
        range: RangeInclusive<N>,
    ) -> Result<Option<N>, Failure> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse::<N>() {
            Ok(number) if is_plain && range.contains(&number) => Ok(Some(number)),
            _ => Err(Failure::bad_request(format!(
                "The parameter {name} must be a number from {} to {}.",
                range.start(),
                range.end()
            ))),
        }
    }

    /// # Errors
    /// When it is neither `true` nor `false`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Failure::bad_request(format!("The parameter {name} must be true or false."))),
        }
    }
}
