//! Links the module so that it stays in memory: a thread that fetches keys may outlive the
//! configuration it fetches them for, and Envoy closes a module with its last configuration.

fn main() {
    if std::env::var_os("CARGO_CFG_TARGET_OS").is_some_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
