//! Links the module so that it stays in memory: a thread that fetches keys may outlive the
//! configuration it fetches them for, and Envoy closes a module with its last configuration.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
