//! Findings and their output.

use serde_json::{Value, json};

use crate::failure::{Class, Failure};
use crate::terminal::{Style, escape, line, styled};

/// The outcome of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Skipped,
    Warning,
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Skipped => "skipped",
            State::Warning => "warning",
            State::Failed => "failed",
        }
    }

    fn styled(self) -> Style {
        match self {
            State::Ok => Style::Success,
            State::Skipped => Style::Dim,
            State::Warning => Style::Warning,
            State::Failed => Style::Error,
        }
    }
}

/// The outcome of a step, with its details.
pub(super) struct Finding {
    step: &'static str,
    state: State,
    text: String,
    /// The remedy.
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

    pub(super) fn failed(step: &'static str, text: String, advice: &'static str) -> Self {
        Finding { step, state: State::Failed, text, advice: Some(advice) }
    }

    fn text(&self) -> String {
        let word = styled(self.state.styled(), &format!("{:7}", self.state.word()));
        let advice = self.advice.map(|advice| format!("\n{:20}-> {advice}", ""));
        format!("{word}  {:9}  {}{}", self.step, escape(&self.text), advice.unwrap_or_default())
    }

    fn json(&self) -> Value {
        let Finding { step, state, text, advice } = self;
        json!({ "step": step, "state": state.word(), "text": text, "advice": advice })
    }
}

/// Collects findings. Prints each at once unless the output is JSON.
pub(super) struct Report {
    findings: Vec<Finding>,
    json: bool,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Report { findings: Vec::new(), json }
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
        match self.findings.iter().filter(|finding| finding.state == State::Failed).count() {
            0 => Ok(()),
            1 => Err(Failure::new(Class::Invalid, "1 check failed")),
            more => Err(Failure::new(Class::Invalid, format!("{more} checks failed"))),
        }
    }
}
