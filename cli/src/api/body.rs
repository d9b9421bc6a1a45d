//! Request bodies from arguments: fields to set, fields to clear.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::input;

/// The fields of a body.
#[derive(Args)]
#[command(next_help_heading = "Fields")]
pub(crate) struct Body {
    /// Set a field to a string. Other fields stay unchanged. A dot selects a member of an object, as in
    /// publicMetadata.plan=pro
    #[arg(long, value_name = "NAME=TEXT", value_parser = field)]
    set: Vec<Field>,
    /// Set a field to JSON, as in expiresInDays=7
    #[arg(long, value_name = "NAME=JSON", value_parser = json_field)]
    set_json: Vec<Field>,
    /// Clear a field
    #[arg(long, value_name = "NAME", value_parser = null_field)]
    null: Vec<Field>,
    /// Send this file, a JSON object, unchanged; `-`: standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["set", "set_json", "null"])]
    body: Option<PathBuf>,
}

/// The path of a field and its value as JSON.
#[derive(Clone, Debug)]
struct Field {
    path: Vec<String>,
    json: String,
}

fn field(text: &str) -> Result<Field, String> {
    let (name, value) = text.split_once('=').ok_or("invalid (expected NAME=TEXT)")?;
    Field::new(name, Value::from(value).to_string())
}

fn json_field(text: &str) -> Result<Field, String> {
    let (name, json) = text.split_once('=').ok_or("invalid (expected NAME=JSON)")?;
    // Without the error's own text, which could contain the value.
    let value: &RawValue = serde_json::from_str(json).map_err(|error| {
        format!("not JSON after the `=` (line {}, column {})", error.line(), error.column())
    })?;
    Field::new(name, value.get().to_owned())
}

fn null_field(name: &str) -> Result<Field, String> {
    if name.contains('=') {
        return Err("contains a value (expected a name)".to_owned());
    }
    Field::new(name, "null".to_owned())
}

impl Field {
    fn new(name: &str, json: String) -> Result<Self, String> {
        let path: Vec<String> = name.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err("empty name".to_owned());
        }
        Ok(Field { path, json })
    }
}

impl Body {
    /// Returns the body, if there is one.
    pub(crate) fn optional(&self) -> Result<Option<String>, Failure> {
        if let Some(path) = &self.body {
            return Ok(Some(input::file(path, "body")?));
        }
        let object = self.object()?;
        Ok((!object.0.is_empty()).then(|| object.json()))
    }

    /// Returns the body, which has to have fields.
    pub(crate) fn required(&self) -> Result<String, Failure> {
        self.with_defaults(&[])
    }

    /// As [`required`](Self::required), with values for fields that are not named.
    pub(crate) fn with_defaults(&self, defaults: &[(&str, &str)]) -> Result<String, Failure> {
        if let Some(path) = &self.body {
            return input::file(path, "body");
        }
        let mut object = self.object()?;
        if object.0.is_empty() {
            let nothing = "body: no fields (expected --set, --set-json, --null or --body)";
            return Err(Failure::usage(nothing));
        }
        for (name, json) in defaults {
            if !object.names(name) {
                object.set(&[(*name).to_owned()], json)?;
            }
        }
        Ok(object.json())
    }

    fn object(&self) -> Result<Object, Failure> {
        let mut object = Object::default();
        for field in self.set.iter().chain(&self.set_json).chain(&self.null) {
            object.set(&field.path, &field.json)?;
        }
        Ok(object)
    }
}

/// An object built field by field. JSON values stay as written.
#[derive(Default)]
struct Object(Vec<(String, Node)>);

enum Node {
    Json(String),
    Object(Object),
}

impl Object {
    fn names(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    fn set(&mut self, path: &[String], json: &str) -> Result<(), Failure> {
        let Some((name, rest)) = path.split_first() else { return Ok(()) };
        let twice = || Failure::usage(format!("field {name}: set twice"));
        let at = self.0.iter().position(|(known, _)| known == name);
        let node = at.and_then(|index| self.0.get_mut(index)).map(|(_, node)| node);
        match (node, rest.is_empty()) {
            (None, true) => self.0.push((name.clone(), Node::Json(json.to_owned()))),
            (None, false) => {
                let mut inner = Object::default();
                inner.set(rest, json)?;
                self.0.push((name.clone(), Node::Object(inner)));
            }
            (Some(Node::Object(inner)), false) => inner.set(rest, json)?,
            (Some(_), _) => return Err(twice()),
        }
        Ok(())
    }

    fn json(&self) -> String {
        let member = |(name, node): &(String, Node)| {
            let value = match node {
                Node::Json(json) => json.clone(),
                Node::Object(object) => object.json(),
            };
            format!("{}:{value}", Value::from(name.as_str()))
        };
        format!("{{{}}}", self.0.iter().map(member).collect::<Vec<_>>().join(","))
    }
}
