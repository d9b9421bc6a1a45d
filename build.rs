//! How the shared library is linked, and nothing else.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number is `torii_abi_version()`.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libtorii.so.0");
        // Threads and `pthread_atfork` handlers must not outlive the code they run.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
