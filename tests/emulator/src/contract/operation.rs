//! One operation of the contract: what it takes and what it answers.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::Value;

use super::schemas::{Schema, Schemas};

/// One operation.
pub(crate) struct Operation {
    /// Its name in the contract.
    pub(crate) id: String,
    method: String,
    template: String,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: BTreeMap<String, Option<Content>>,
}

/// One parameter in the path or the query.
struct Parameter {
    name: String,
    kind: Option<String>,
    schema: Schema,
}

/// The body of a request.
struct Body {
    required: bool,
    schema: Schema,
}

/// The body of an answer.
struct Content {
    media_type: String,
    schema: Schema,
}

impl Operation {
    /// Reads one operation of the OpenAPI document.
    pub(crate) fn read(path: &str, method: &str, operation: &Value, schemas: &mut Schemas) -> Self {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| Parameter {
            name: text(&parameter["name"]),
            kind: parameter["schema"]["type"].as_str().map(str::to_owned),
            schema: schemas.compile(&parameter["schema"]),
        });
        let parameters = parameters.collect();
        let body = operation.get("requestBody").map(|body| Body {
            required: body["required"] == true,
            schema: schemas.compile(&body["content"]["application/json"]["schema"]),
        });
        let answers = operation["responses"].as_object().expect("responses");
        let answers = answers.iter().map(|(status, answer)| {
            let content = answer["content"].as_object().and_then(|content| content.iter().next());
            let content = content.map(|(media_type, content)| Content {
                media_type: media_type.clone(),
                schema: schemas.compile(&content["schema"]),
            });
            (status.clone(), content)
        });
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            template: path.to_owned(),
            parameters,
            body,
            answers: answers.collect(),
        }
    }

    /// Whether it is the one with this method and this path template.
    pub(crate) fn is(&self, method: &str, template: &str) -> bool {
        self.method == method && self.template == template
    }

    /// Its method and path template.
    #[cfg(test)]
    pub(crate) fn route(&self) -> (&str, &str) {
        (&self.method, &self.template)
    }

    /// What is wrong with the parameters and the body of a request.
    pub(crate) fn request_errors<'a>(
        &self,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: &[u8],
    ) -> Vec<String> {
        let mut errors = self.parameter_errors(parameters);
        if let Some(rule) = &self.body {
            match serde_json::from_slice(body) {
                Ok(body) => errors.extend(rule.schema.errors("body", &body)),
                Err(_) if body.is_empty() && !rule.required => {}
                Err(error) => errors.push(format!("body: {error}")),
            }
        }
        errors
    }

    fn parameter_errors<'a>(
        &self,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<String> {
        let mut given: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in parameters {
            given.entry(name).or_default().push(value);
        }
        let mut errors = Vec::new();
        for rule in &self.parameters {
            if let Some(values) = given.get(rule.name.as_str()) {
                errors.extend(rule.schema.errors(&rule.name, &rule.value(values)));
            }
        }
        errors
    }

    /// What is wrong with an answer.
    pub(crate) fn answer_errors(
        &self,
        status: StatusCode,
        media_type: Option<&str>,
        body: &[u8],
    ) -> Vec<String> {
        let declared = self.answers.get(status.as_str());
        let fallback = || self.answers.get("default").filter(|_| !status.is_success());
        let Some(content) = declared.or_else(fallback) else {
            return vec![format!("{status} is not declared")];
        };
        let Some(content) = content else {
            return if body.is_empty() { Vec::new() } else { vec!["there is a body".to_owned()] };
        };
        let mut errors = Vec::new();
        if media_type != Some(content.media_type.as_str()) {
            errors.push(format!("the media type is {media_type:?}, not {:?}", content.media_type));
        }
        match serde_json::from_slice(body) {
            Ok(body) => errors.extend(content.schema.errors("body", &body)),
            Err(error) => errors.push(format!("body: {error}")),
        }
        errors
    }
}

impl Parameter {
    /// The texts of the parameter as the value that its schema is about.
    fn value(&self, texts: &[&str]) -> Value {
        match (self.kind.as_deref(), texts) {
            (Some("array"), texts) => texts.to_vec().into(),
            (Some("integer"), [text]) => text.parse::<i64>().map_or_else(|_| (*text).into(), Value::from),
            (_, [text]) => (*text).into(),
            (_, texts) => texts.to_vec().into(),
        }
    }
}
