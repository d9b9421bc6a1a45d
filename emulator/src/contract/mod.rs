//! The contract of the server API, and checks against it.

mod operation;
mod schemas;
mod violations;

use std::sync::LazyLock;

use serde_json::Value;

pub(crate) use self::operation::Operation;
use self::schemas::Schemas;
pub(crate) use self::violations::Violations;
pub use self::violations::{Side, Violation};

/// The OpenAPI document that describes the server API.
const DOCUMENT: &str = include_str!("../../../api/server-v1.json");

/// The operations of the contract.
pub(crate) struct Contract {
    operations: Vec<Operation>,
}

/// The contract, read once.
pub(crate) static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);

impl Contract {
    fn read() -> Self {
        let document: Value = serde_json::from_str(DOCUMENT).expect("the contract is JSON");
        let mut schemas = Schemas::new(&document);
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                operations.push(Operation::read(path, method, operation, &mut schemas));
            }
        }
        Self { operations }
    }

    /// The operation with this method and this path template.
    pub(crate) fn operation(&self, method: &str, template: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.is(method, template))
    }
}
