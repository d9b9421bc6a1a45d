//! Iterating over paginated lists.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::vec;

use serde_json::value::RawValue;

use super::arguments::is_uuid;
use crate::error::{Error, Result, Status};
use crate::json::Json;

/// The largest page.
const LIMIT: u32 = 100;

type Fetch<'a> = Box<dyn Fn(u32, Option<&str>) -> Result<Json> + Send + 'a>;

/// Iterates over all items of a list. Fetches each page when it is needed, and ends after an error.
pub struct Paginator<'a> {
    /// `None` after the last page.
    fetch: Option<Fetch<'a>>,
    cursor: Option<String>,
    /// Every cursor so far: one that repeats would never end.
    seen: HashSet<String>,
    page: vec::IntoIter<Json>,
}

impl<'a> Paginator<'a> {
    pub(super) fn new(fetch: impl Fn(u32, Option<&str>) -> Result<Json> + Send + 'a) -> Self {
        Paginator {
            fetch: Some(Box::new(fetch)),
            cursor: None,
            seen: HashSet::new(),
            page: Vec::new().into_iter(),
        }
    }

    fn fetch_page(&mut self, fetch: Fetch<'a>) -> Result<()> {
        let page = fetch(LIMIT, self.cursor.as_deref())?;
        self.page = items(&page).ok_or(malformed("no list of `items`"))?.into_iter();
        if !page.bool("/hasMore").map_err(|_| malformed("no boolean `hasMore`"))? {
            return Ok(());
        }
        let cursor = page.str("/nextCursor").filter(|cursor| is_uuid(cursor));
        let cursor = cursor.ok_or(malformed("there is more, but `nextCursor` is not a UUID"))?;
        if !self.seen.insert(cursor.to_owned()) {
            let text = format!("the page: `nextCursor` is {cursor} once more");
            return Err(Error::text(Status::Response, text));
        }
        self.cursor = Some(cursor.to_owned());
        self.fetch = Some(fetch);
        Ok(())
    }
}

/// The items of a page, each as its own text.
fn items(page: &Json) -> Option<Vec<Json>> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(page.text()).ok()?;
    let items: Vec<&RawValue> = serde_json::from_str(members.get("items")?.get()).ok()?;
    items.into_iter().map(|item| Json::read(item.get()).ok()).collect()
}

fn malformed(why: &'static str) -> Error {
    Error::fixed(Status::Response, "the page", why)
}

impl Iterator for Paginator<'_> {
    type Item = Result<Json>;

    fn next(&mut self) -> Option<Result<Json>> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(Ok(item));
            }
            let fetch = self.fetch.take()?;
            if let Err(error) = self.fetch_page(fetch) {
                self.page = Vec::new().into_iter();
                return Some(Err(error));
            }
        }
    }
}

impl fmt::Debug for Paginator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paginator").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0191d3c0-0000-7000-8000-00000000000a";
    const B: &str = "0191d3c0-0000-7000-8000-00000000000b";

    /// The items, and the error at the end, if each cursor leads to this page.
    fn all(page: impl Fn(Option<&str>) -> String + Send + Sync) -> (Vec<String>, Option<String>) {
        let mut items = Paginator::new(|limit, cursor| {
            assert_eq!(limit, 100);
            Json::parse(&page(cursor))
        });
        let (mut texts, mut error) = (Vec::new(), None);
        for item in &mut items {
            match item {
                Ok(item) => texts.push(item.text().to_owned()),
                Err(e) => error = Some(format!("{} {e}", e.status().name())),
            }
        }
        assert!(items.next().is_none(), "it stays at its end");
        (texts, error)
    }

    #[test]
    fn it_ends_after_the_last_page() {
        let (items, error) = all(|cursor| match cursor {
            None => format!(r#"{{"items":[1.50],"nextCursor":"{A}","hasMore":true}}"#),
            Some(A) => format!(r#"{{"items":[],"nextCursor":"{B}","hasMore":true}}"#),
            // The cursor of the last page is ignored.
            Some(_) => {
                format!(r#"{{"items":[{{"b": 2,"a":3}}],"nextCursor":"{B}","hasMore":false}}"#)
            }
        });
        assert_eq!(items, ["1.50", r#"{"b": 2,"a":3}"#], "each as it is written");
        assert_eq!(error, None);
    }

    #[test]
    fn a_repeated_cursor_is_an_error() {
        let (items, error) = all(|cursor| {
            let next = if cursor == Some(A) { B } else { A };
            format!(r#"{{"items":[1],"nextCursor":"{next}","hasMore":true}}"#)
        });
        assert_eq!(items, ["1", "1"]);
        let why = format!("TORII_ERR_RESPONSE the page: `nextCursor` is {A} once more");
        assert_eq!(error, Some(why));
    }

    #[test]
    fn a_malformed_page_is_an_error() {
        for (page, why) in [
            ("[]", "no list of `items`"),
            (r#"{"items":{},"hasMore":false}"#, "no list of `items`"),
            (r#"{"items":[]}"#, "no boolean `hasMore`"),
            (r#"{"items":[],"hasMore":true}"#, "there is more, but `nextCursor` is not a UUID"),
        ] {
            let (_, error) = all(|_| page.to_owned());
            assert_eq!(error, Some(format!("TORII_ERR_RESPONSE the page: {why}")), "{page}");
        }
    }
}
