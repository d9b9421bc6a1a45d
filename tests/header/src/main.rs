//! `torii-header ROOT CONFIG OUTPUT [--verify]`: writes the C declarations of the crate in `ROOT` to `OUTPUT`, in
//! the shape that `CONFIG`, a `cbindgen.toml`, describes. With `--verify` it writes nothing and fails if `OUTPUT`
//! is out of date.

use std::path::Path;
use std::process::ExitCode;

fn write(root: &Path, config: &Path, output: &Path, verify: bool) -> Result<(), String> {
    let config = cbindgen::Config::from_file(config)?;
    let bindings = cbindgen::generate_with_config(root, config)
        .map_err(|error| format!("{}: {error}", root.display()))?;
    let mut declarations = Vec::new();
    bindings.write(&mut declarations);
    let failed = |error| format!("{}: {error}", output.display());
    if verify {
        if std::fs::read(output).map_err(failed)? == declarations {
            return Ok(());
        }
        return Err(format!("{}: out of date; run 'make header'", output.display()));
    }
    std::fs::write(output, declarations).map_err(failed)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (root, config, output, verify) = match arguments.as_slice() {
        [root, config, output] => (root, config, output, false),
        [root, config, output, "--verify"] => (root, config, output, true),
        _ => {
            eprintln!("usage: torii-header ROOT CONFIG OUTPUT [--verify]");
            return ExitCode::from(2);
        }
    };
    match write(Path::new(root), Path::new(config), Path::new(output), verify) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
