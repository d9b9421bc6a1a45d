//! The actions of the workers, as they recorded them.

use std::collections::HashMap;
use std::fmt::Write;

/// The result of a call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It may have taken effect, or not.
    Unknown,
}

#[derive(Default)]
pub struct Record {
    /// How many calls were made, and how many of these failed.
    pub calls: u64,
    pub failed: u64,
    /// Attempts to create a user, by the mark the user was to have.
    pub created: HashMap<String, Outcome>,
    /// The numbers a user may have: the last one that was set, `None` at first, and those that may
    /// have been set since.
    pub numbers: HashMap<String, Vec<Option<i64>>>,
    pub deleted: HashMap<String, Outcome>,
}

impl Record {
    pub fn create(&mut self, mark: &str, outcome: Outcome) {
        assert_eq!(self.created.insert(mark.to_owned(), outcome), None, "{mark}");
    }

    pub fn set(&mut self, mark: &str, number: i64, outcome: Outcome) {
        let numbers = self.numbers.entry(mark.to_owned()).or_insert_with(|| vec![None]);
        if outcome == Outcome::Done {
            numbers.clear();
        }
        numbers.push(Some(number));
    }

    pub fn delete(&mut self, mark: &str, outcome: Outcome) {
        self.deleted.insert(mark.to_owned(), outcome);
    }

    /// As text, one fact a line.
    pub fn write(&self) -> String {
        let mut text = format!("calls {} {}\n", self.calls, self.failed);
        for (what, marks) in [("create", &self.created), ("delete", &self.deleted)] {
            for (mark, outcome) in marks {
                writeln!(text, "{what} {mark} {outcome:?}").unwrap();
            }
        }
        for (mark, numbers) in &self.numbers {
            for number in numbers {
                let number = number.map_or("none".to_owned(), |number| number.to_string());
                writeln!(text, "number {mark} {number}").unwrap();
            }
        }
        text
    }

    /// Adds what another process wrote.
    pub fn read(&mut self, text: &str) {
        let outcome = |text| if text == "Done" { Outcome::Done } else { Outcome::Unknown };
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["calls", calls, failed] => {
                    self.calls += calls.parse::<u64>().unwrap();
                    self.failed += failed.parse::<u64>().unwrap();
                }
                ["create", mark, text] => self.create(mark, outcome(text)),
                ["delete", mark, text] => self.delete(mark, outcome(text)),
                ["number", mark, number] => {
                    let numbers = self.numbers.entry(mark.to_owned()).or_default();
                    numbers.push(number.parse().ok());
                }
                _ => panic!("a worker said {line:?}"),
            }
        }
    }
}
