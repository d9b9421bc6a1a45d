//! Metadata bags: merged by RFC 7396, and limited in size.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// How many bytes of compact JSON a budget allows. The contract says "8 KB".
const BUDGET: usize = 8192;

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// The bags of a user; organizations, memberships and invitations have no `unsafe` one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) public: Object,
    pub(crate) private: Object,
    pub(crate) unsafe_: Object,
}

/// The bags in a request. A missing one stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Bags {
    pub(crate) public_metadata: Option<Object>,
    pub(crate) private_metadata: Option<Object>,
    pub(crate) unsafe_metadata: Option<Object>,
}

impl Bags {
    /// For resources with only a public and a private bag: at least one of them has to be named.
    pub(crate) fn named(self) -> Result<Self, Problem> {
        if self.public_metadata.is_none() && self.private_metadata.is_none() {
            return Err(Problem::invalid("no_metadata", "The request names no metadata."));
        }
        Ok(Self { unsafe_metadata: None, ..self })
    }
}

/// The purpose of the budget.
#[derive(Clone, Copy)]
pub(crate) enum Budget {
    /// For all bags together.
    Together,
    /// For each bag.
    Each,
}

impl Metadata {
    /// The bags with the changes merged in, if they fit the budget then.
    pub(crate) fn merged(&self, bags: Bags, budget: Budget) -> Result<Self, Problem> {
        let mut merged = self.clone();
        merge(&mut merged.public, bags.public_metadata.unwrap_or_default());
        merge(&mut merged.private, bags.private_metadata.unwrap_or_default());
        merge(&mut merged.unsafe_, bags.unsafe_metadata.unwrap_or_default());
        let sizes = [&merged.public, &merged.private, &merged.unsafe_].map(size);
        let counted = match budget {
            Budget::Together => sizes.iter().sum(),
            Budget::Each => sizes.into_iter().max().unwrap_or_default(),
        };
        if counted > BUDGET {
            let detail = format!("The metadata would take {counted} bytes of {BUDGET}.");
            return Err(Problem::invalid("metadata_too_large", detail));
        }
        Ok(merged)
    }
}

/// Bytes of compact JSON; an empty bag takes none.
fn size(bag: &Object) -> usize {
    if bag.is_empty() { 0 } else { Value::from(bag.clone()).to_string().len() }
}

/// RFC 7396: objects are merged, nulls delete, everything else replaces.
fn merge(target: &mut Object, patch: Object) {
    for (name, change) in patch {
        match change {
            Value::Null => {
                target.remove(&name);
            }
            Value::Object(change) => {
                let inner = target.entry(name).or_insert(Value::Null);
                if !inner.is_object() {
                    *inner = Value::Object(Object::new());
                }
                merge(inner.as_object_mut().expect("an object"), change);
            }
            other => {
                target.insert(name, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn merges_like_the_examples_of_rfc_7396() {
        // Appendix A, those whose target and patch are objects.
        let cases = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (target, patch, merged) in cases {
            let mut bag: Object = from_value(target).unwrap();
            merge(&mut bag, from_value(patch).unwrap());
            assert_eq!(Value::from(bag), merged);
        }
    }

    #[test]
    fn budgets_count_each_bag_or_all_together() {
        let bag = |length: usize| from_value(json!({ "k": "x".repeat(length - 8) })).unwrap();
        let bags = |public, private| Bags {
            public_metadata: Some(bag(public)),
            private_metadata: Some(bag(private)),
            unsafe_metadata: None,
        };
        let fits = |bags, budget| Metadata::default().merged(bags, budget).is_ok();
        assert!(fits(bags(8192, 8192), Budget::Each));
        assert!(!fits(bags(8192, 8193), Budget::Each));
        assert!(fits(bags(4096, 4096), Budget::Together));
        assert!(!fits(bags(4096, 4097), Budget::Together));
    }
}
