//! What was found, and how it is shown.

use serde_json::{Value, json};

use crate::failure::{Class, Failure};
use crate::terminal::{Tone, line, tame, tone};

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Skipped,
    Warning,
    Broken,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Skipped => "skipped",
            State::Warning => "warning",
            State::Broken => "broken",
        }
    }

    fn tone(self) -> Tone {
        match self {
            State::Ok => Tone::Good,
            State::Skipped => Tone::Faint,
            State::Warning => Tone::Doubtful,
            State::Broken => Tone::Bad,
        }
    }
}

/// A step, and what came of it.
pub(super) struct Finding {
    step: &'static str,
    state: State,
    text: String,
    /// What to do.
    advice: Option<&'static str>,
}

impl Finding {
    pub(super) fn ok(step: &'static str, text: impl Into<String>) -> Self {
        Finding { step, state: State::Ok, text: text.into(), advice: None }
    }

    pub(super) fn skipped(step: &'static str, why: &str) -> Self {
        Finding { step, state: State::Skipped, text: why.to_owned(), advice: None }
    }

    pub(super) fn warning(step: &'static str, text: String, advice: &'static str) -> Self {
        Finding { step, state: State::Warning, text, advice: Some(advice) }
    }

    pub(super) fn broken(step: &'static str, text: String, advice: &'static str) -> Self {
        Finding { step, state: State::Broken, text, advice: Some(advice) }
    }

    fn text(&self) -> String {
        let word = tone(self.state.tone(), &format!("{:7}", self.state.word()));
        let advice = self.advice.map(|advice| format!("\n{:18}-> {advice}", ""));
        format!("{word}  {:7}  {}{}", self.step, tame(&self.text), advice.unwrap_or_default())
    }

    fn json(&self) -> Value {
        let Finding { step, state, text, advice } = self;
        json!({ "step": step, "state": state.word(), "text": text, "advice": advice })
    }
}

/// Collects findings, and shows people each as it comes.
pub(super) struct Record {
    findings: Vec<Finding>,
    json: bool,
}

impl Record {
    pub(super) fn new(json: bool) -> Self {
        Record { findings: Vec::new(), json }
    }

    pub(super) fn add(
        &mut self,
        findings: impl IntoIterator<Item = Finding>,
    ) -> Result<(), Failure> {
        for finding in findings {
            if !self.json {
                line(&finding.text())?;
            }
            self.findings.push(finding);
        }
        Ok(())
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        if self.json {
            let all: Vec<_> = self.findings.iter().map(Finding::json).collect();
            line(&Value::from(all).to_string())?;
        }
        match self.findings.iter().filter(|finding| finding.state == State::Broken).count() {
            0 => Ok(()),
            1 => Err(Failure::new(Class::No, "1 thing is broken")),
            more => Err(Failure::new(Class::No, format!("{more} things are broken"))),
        }
    }
}
