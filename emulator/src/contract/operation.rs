//! One operation of the contract: its requests and answers.

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
            let content = schemas.resolve(answer)["content"]
                .as_object()
                .and_then(|content| content.iter().next());
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

    /// Returns the errors in the parameters and the body of a request.
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

    /// Returns the errors in an answer.
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
            (Some("integer"), [text]) => {
                text.parse::<i64>().map_or_else(|_| (*text).into(), Value::from)
            }
            (_, [text]) => (*text).into(),
            (_, texts) => texts.to_vec().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CONTRACT;
    use super::*;

    fn operation(method: &str, path: &str) -> &'static Operation {
        CONTRACT.operation(method, &format!("/api/server/v1{path}")).unwrap()
    }

    /// How many errors an answer has.
    fn errors(operation: &Operation, status: u16, media_type: &str, body: &str) -> usize {
        let status = StatusCode::from_u16(status).unwrap();
        operation.answer_errors(status, Some(media_type), body.as_bytes()).len()
    }

    #[test]
    fn answers_are_held_to_status_media_type_and_schema() {
        let origins = operation("GET", "/allowed-origins");
        let json = "application/json";
        assert_eq!(errors(origins, 200, json, r#"{"origins":[]}"#), 0);
        assert_eq!(errors(origins, 200, json, r#"{"origins":[1]}"#), 1);
        assert_eq!(errors(origins, 200, json, r#"{"origins":"#), 1);
        assert_eq!(errors(origins, 200, "text/html", r#"{"origins":[]}"#), 1);
        assert_eq!(errors(origins, 201, json, r#"{"origins":[]}"#), 1, "not declared");
        assert_eq!(errors(origins, 418, "application/problem+json", "{}"), 0, "an error may be");
        assert_eq!(errors(origins, 418, json, r#"{"status":"x"}"#), 2);
    }

    #[test]
    fn answers_without_a_body_have_none() {
        let revoke = operation("DELETE", "/invitations/{invitationId}");
        assert_eq!(errors(revoke, 200, "", ""), 0);
        assert_eq!(errors(revoke, 200, "", "{}"), 1);
        assert_eq!(errors(revoke, 204, "", ""), 1, "not declared");
    }

    #[test]
    fn schemas_behind_references_and_their_formats_count() {
        let sessions = operation("GET", "/users/{userId}/sessions");
        let session = |id: &str, created: &str| {
            let time = "2026-01-01T00:00:00Z";
            let id_ok = "01900000-0000-7000-8000-000000000000";
            serde_json::json!([{
                "id": id, "userId": id_ok, "environmentId": id_ok,
                "createdAt": created, "expiresAt": time, "lastUsedAt": time,
            }])
            .to_string()
        };
        let errors = |id, created| errors(sessions, 200, "application/json", &session(id, created));
        assert_eq!(errors("01900000-0000-7000-8000-000000000000", "2026-01-01T00:00:00+01:00"), 0);
        assert_eq!(errors("7", "2026-01-01T00:00:00Z"), 1);
        assert_eq!(errors("01900000-0000-7000-8000-000000000000", "yesterday"), 1);
    }

    #[test]
    fn parameters_and_bodies_are_checked() {
        let list = operation("GET", "/invitations");
        assert_eq!(
            list.request_errors([("limit", "0"), ("status", "A"), ("status", "B")], b"").len(),
            0
        );
        assert_eq!(list.request_errors([("limit", "x"), ("cursor", "y")], b"").len(), 2);
        assert_eq!(list.request_errors([("limit", "1"), ("limit", "2")], b"").len(), 1);
        let search = operation("POST", "/users/search");
        assert_eq!(search.request_errors([], b"").len(), 0, "the body is optional");
        assert_eq!(search.request_errors([], b"{").len(), 1);
        let create = operation("POST", "/users");
        assert_eq!(create.request_errors([], b"").len(), 1, "the body is required");
        assert_eq!(create.request_errors([], br#"{"email":null,"phone":"1"}"#).len(), 0);
    }
}
