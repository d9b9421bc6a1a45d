//! Paginated lists.

use clap::Args;
use torii::{Json, Paginator};

use super::{Call, Columns, read, table};
use crate::failure::Failure;
use crate::show::Members;
use crate::terminal::{Progress, line, note, print};

/// Options that select a page, or all of them.
#[derive(Args)]
#[command(next_help_heading = "Pages")]
pub(crate) struct Paging {
    /// Items on the page, 1 to 100 [default: the API's, 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: Option<u32>,
    /// The start of the page: `nextCursor` of the previous page
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// List all pages; with --json as one array
    #[arg(long, conflicts_with_all = ["limit", "cursor"])]
    all: bool,
    #[command(flatten)]
    pub(crate) call: Call,
}

impl Paging {
    /// Prints a page, or all items.
    pub(crate) fn show<'a>(
        &self,
        columns: &Columns,
        page: impl FnOnce(u32, Option<&str>) -> torii::Result<Json>,
        all: impl FnOnce() -> Paginator<'a>,
    ) -> Result<(), Failure> {
        match (self.all, self.call.json) {
            (true, true) => as_list(all()),
            (true, false) => as_table(all(), columns),
            (false, json) => {
                let page = page(self.limit.unwrap_or(0), self.cursor.as_deref())?;
                if json { line(page.text()) } else { as_page(&page, columns) }
            }
        }
    }
}

fn as_page(page: &Json, columns: &Columns) -> Result<(), Failure> {
    let members: Members = read(page)?;
    let items = members.get("items").map(ToString::to_string).unwrap_or_default();
    let items: Vec<Members> = read(&Json::parse(&items)?)?;
    print(&table(columns, &items))?;
    if let (true, Some(cursor)) = (page.bool("/hasMore")?, page.str("/nextCursor")) {
        note(&format!("more items: --cursor {cursor}, or --all"));
    }
    Ok(())
}

fn as_table(items: Paginator<'_>, columns: &Columns) -> Result<(), Failure> {
    let (mut all, mut progress) = (Vec::<Members>::new(), Progress::new());
    for item in items {
        all.push(read(&item?)?);
        progress.at(all.len());
    }
    drop(progress);
    print(&table(columns, &all))
}

/// Prints one JSON array, item by item. After an error it is incomplete, so not JSON.
fn as_list(items: Paginator<'_>) -> Result<(), Failure> {
    let mut progress = Progress::of_printing();
    print("[")?;
    for (index, item) in items.enumerate() {
        let separator = if index == 0 { "\n" } else { ",\n" };
        print(&format!("{separator}{}", item?.text()))?;
        progress.at(index + 1);
    }
    drop(progress);
    print("\n]\n")
}
