//! How the shared library is linked, and nothing else.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    // The number in the names is `torii_abi_version()`.
    match system.as_str() {
        "linux" | "freebsd" | "netbsd" | "openbsd" | "dragonfly" => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libtorii.so.0");
            // `src/fork/pin.rs` says why, and what other platforms do.
            println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        // Found where the program's rpath says; without this, only where it was built.
        "macos" => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libtorii.0.dylib");
        }
        // Windows has neither: a program names `torii.dll`.
        _ => {}
    }
}
