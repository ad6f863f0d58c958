//! Does nothing: a package with a `links` key needs a build script, and the key is what keeps a second version of
//! this crate, with a registry and a current scope of its own, out of the same program.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
