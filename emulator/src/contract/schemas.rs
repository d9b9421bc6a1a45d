//! The schemas of the contract, each compiled once.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::{Draft, Registry, Validator};
use serde_json::Value;

/// Where references in a schema point to.
const DOCUMENT_URI: &str = "urn:torii:server-v1";

/// One compiled schema.
#[derive(Clone)]
pub(crate) struct Schema(Arc<Validator>);

impl Schema {
    /// Returns the errors of the value, as texts that begin with `subject`.
    pub(crate) fn errors(&self, subject: &str, value: &Value) -> Vec<String> {
        let text = |error: jsonschema::ValidationError<'_>| {
            format!("{subject}{}: {error}", error.instance_path())
        };
        self.0.iter_errors(value).map(text).collect()
    }
}

/// Compiles the schemas of a document.
pub(crate) struct Schemas<'a> {
    document: &'a Value,
    registry: Registry,
    compiled: BTreeMap<String, Schema>,
}

impl<'a> Schemas<'a> {
    /// For the schemas of this document.
    pub(crate) fn new(document: &'a Value) -> Self {
        let resource = Draft::Draft202012.create_resource(document.clone());
        let registry = Registry::try_new(DOCUMENT_URI, resource);
        Self {
            registry: registry.expect("the contract's schemas"),
            compiled: BTreeMap::new(),
            document,
        }
    }

    /// Resolves a reference outside of schemas; returns other values unchanged.
    pub(crate) fn resolve(&self, value: &'a Value) -> &'a Value {
        let Some(reference) = value["$ref"].as_str() else { return value };
        let target = self.document.pointer(reference.trim_start_matches('#'));
        target.expect("a reference within the contract")
    }

    /// The compiled form of a schema found in the document.
    pub(crate) fn compile(&mut self, schema: &Value) -> Schema {
        let absolute = schema.to_string().replace("\"#/", &format!("\"{DOCUMENT_URI}#/"));
        let compiled = self.compiled.entry(absolute).or_insert_with_key(|schema| {
            let schema = serde_json::from_str(schema).expect("JSON stays JSON");
            let validator = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(self.registry.clone())
                .should_validate_formats(true)
                .build(&schema);
            Schema(Arc::new(validator.expect("a schema of the contract")))
        });
        compiled.clone()
    }
}
