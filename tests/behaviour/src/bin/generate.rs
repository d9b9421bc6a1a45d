//! Writes the data files of this crate from the definitions in `src/cases`.

use std::io;

fn main() -> io::Result<()> {
    for (name, text) in torii_behaviour::generate() {
        std::fs::write(torii_behaviour::path(name), text)?;
    }
    Ok(())
}
