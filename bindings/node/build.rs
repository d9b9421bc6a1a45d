//! Links the module so that it stays in memory: a thread that fetches keys may outlive the worker
//! thread that loaded it, and Node closes a module with the last one that uses it.

fn main() {
    napi_build::setup();
    if std::env::var_os("CARGO_CFG_TARGET_OS").is_some_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
