//! JSON objects as text.

/// A JSON object written member by member, so that a case can put anything into it, JSON or not.
#[derive(Clone)]
pub struct Object(Vec<(String, String)>);

impl Object {
    /// An object with these members; a value is raw text, a name is what stands between its quotes.
    pub fn new(members: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(members.iter().map(own).collect())
    }

    /// With the member set to this value.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        match self.0.iter_mut().find(|member| member.0 == name) {
            Some(member) => member.1 = value.into(),
            None => self.0.push((name.to_owned(), value.into())),
        }
        self
    }

    /// With one more member, whether or not there is one of that name.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the member.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|member| member.0 != name);
        self
    }

    /// The object as JSON.
    pub fn json(&self) -> String {
        let members = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

impl From<Object> for Vec<u8> {
    fn from(object: Object) -> Self {
        object.json().into_bytes()
    }
}

/// A JSON string with this content.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
